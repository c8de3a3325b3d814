// swift-tools-version: 6.2
import PackageDescription

/// What every target of ours is compiled with. Language mode 6 leaves these upcoming features off, so they are asked for.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let nio = (
    core: Target.Dependency.product(name: "NIOCore", package: "swift-nio"),
    posix: Target.Dependency.product(name: "NIOPosix", package: "swift-nio"),
    embedded: Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio"),
    ssl: Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
)
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let trees = Target.Dependency.product(name: "HashTreeCollections", package: "swift-collections")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "sluice",
    products: [
        .executable(name: "sluice", targets: ["sluice"])
    ],
    dependencies: [
        // Only its fixes: `SettingOptions` rests on how it finds and decodes options, which it does not promise.
        .package(url: "https://github.com/apple/swift-argument-parser", .upToNextMinor(from: "1.8.2")),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        // System libraries: a module map each, nothing else.
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CNGHTTP2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CMalloc"),

        // Know no mesh.
        .target(name: "Postgres", dependencies: ["CLibPQ", logging], swiftSettings: strict),
        .target(
            name: "PostgresServer",
            dependencies: [logging, subprocess, .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: strict),
        .target(name: "HTTP2", dependencies: ["CNGHTTP2", nio.core], swiftSettings: strict),
        .target(
            name: "GRPCServer", dependencies: ["HTTP2", "CZlib", nio.core, nio.posix, nio.ssl, logging],
            swiftSettings: strict),
        .target(name: "Prometheus", dependencies: [logging, metrics], swiftSettings: strict),
        .target(name: "Parallel", swiftSettings: strict),
        .target(name: "FaultPoints", swiftSettings: strict),
        .target(name: "RE2", swiftSettings: strict),
        .target(name: "Documents", dependencies: ["RE2"], swiftSettings: strict),
        .target(
            name: "Egress",
            dependencies: [
                "Documents", nio.core, nio.posix, nio.ssl, crypto,
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOTLS", package: "swift-nio"),
            ], swiftSettings: strict),
        .target(name: "EnvoyProtos", dependencies: [protobuf], exclude: ["Generator"]),
        .target(
            name: "XDSServer",
            dependencies: [
                "GRPCServer", "EnvoyProtos", nio.core, protobuf, crypto, logging,
                trees,
            ], swiftSettings: strict),

        // Pure: no I/O, no clock, no Foundation.
        .target(name: "MeshCore", dependencies: ["RE2", "Documents"], swiftSettings: strict),
        .target(name: "Analysis", dependencies: ["Documents", "MeshCore"], swiftSettings: strict),
        .target(name: "GrayRelease", dependencies: ["Documents", "MeshCore", "Analysis"], swiftSettings: strict),
        .target(
            name: "MeshModel",
            dependencies: ["Parallel", "RE2", "Documents", "MeshCore", "Analysis", "GrayRelease", trees],
            swiftSettings: strict),
        .target(
            name: "MeshCompiler",
            dependencies: ["Parallel", "RE2", "Documents", "MeshCore", "GrayRelease", "MeshModel"],
            swiftSettings: strict),
        .target(
            name: "EnvoyConfig",
            dependencies: [
                "Parallel", "Documents", "MeshCore", "Analysis", "MeshModel", "MeshCompiler", "EnvoyProtos", protobuf,
            ], swiftSettings: strict),

        // The server.
        .target(name: "MeshIdentity", dependencies: ["MeshCore", "MeshModel", crypto], swiftSettings: strict),
        .target(
            name: "MeshStore",
            dependencies: [
                "Parallel", "Documents", "MeshCore", "Analysis", "GrayRelease", "MeshModel", "Postgres", "Prometheus",
                crypto, logging,
                metrics,
            ],
            // A link to the folder at the top: the program carries its migrations with it.
            resources: [.embedInCode("migrations")], swiftSettings: strict),
        .target(
            name: "MeshFeed", dependencies: ["MeshCore", "MeshModel", "MeshStore", logging], swiftSettings: strict),
        .target(
            name: "MeshTelemetry",
            dependencies: [
                "Documents", "Analysis", "MeshCore", "MeshModel", "MeshStore", "Prometheus", logging, metrics,
            ],
            swiftSettings: strict),
        .target(
            name: "MeshControl",
            dependencies: [
                "FaultPoints", "Analysis", "Egress", "MeshTelemetry", "RE2", "Documents", "MeshCore", "GrayRelease",
                "MeshModel",
                "MeshCompiler",
                "MeshIdentity", "MeshStore",
                "MeshFeed", logging,
            ],
            swiftSettings: strict),
        .target(
            name: "MeshAPI",
            dependencies: [
                "MeshControl", "MeshTelemetry", "MeshIdentity", "Documents", "MeshCore", "Analysis", "GrayRelease",
                "MeshModel", "MeshStore", "Prometheus", hummingbird, nio.core, yams, crypto, logging, lifecycle,
                metrics,
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            // Below a link to the folder at the top: the program carries its contract with it.
            exclude: ["openapi/overlay.yaml", "openapi/fields.md"], resources: [.embedInCode("openapi/sluice-v1.yaml")],
            swiftSettings: strict),
        .target(
            name: "MeshRelease",
            dependencies: ["FaultPoints", "MeshCore", "GrayRelease", "MeshModel", "MeshStore", "MeshControl", logging],
            swiftSettings: strict),
        .target(
            name: "MeshDataPlane",
            dependencies: [
                "EnvoyConfig", "XDSServer", "GRPCServer", "Parallel", "Documents", "MeshCore", "MeshModel",
                "MeshCompiler",
                "Analysis", "MeshIdentity", "MeshStore", "MeshFeed", "MeshTelemetry", "MeshControl", "Prometheus",
                nio.core,
                logging, metrics, trees,
            ], swiftSettings: strict),
        .executableTarget(
            name: "sluice",
            dependencies: [
                "MeshAPI", "MeshControl", "MeshFeed", "MeshTelemetry", "MeshDataPlane", "MeshRelease", "MeshStore",
                "Egress",
                "Documents",
                "MeshCore",
                "MeshModel", "MeshIdentity", "EnvoyConfig", "GRPCServer", "Postgres", "PostgresServer", "Prometheus",
                "CMalloc", logging, lifecycle, metrics, signals, configuration, nio.core, nio.posix,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: strict),

        // A mesh on one machine: the server, real sidecars, workloads and load. For `make run` and the end-to-end tests.
        .target(
            name: "MeshLab",
            dependencies: [
                "Documents", hummingbird, httpClient, logging, signals, nio.core,
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOFoundationCompat", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ], swiftSettings: strict),
        .executableTarget(name: "sluice-demo", dependencies: ["MeshLab", "Documents"], swiftSettings: strict),

        // What `make bench` runs.
        .systemLibrary(name: "CEpoll", path: "Tests/CEpoll"),
        .executableTarget(
            name: "sluice-bench",
            dependencies: [
                "MeshLab", "Documents", "MeshCore", "GrayRelease", "MeshModel", "MeshCompiler", "MeshStore",
                "EnvoyConfig", "EnvoyProtos", "GRPCServer", "HTTP2", "CNGHTTP2", "CEpoll", "Postgres", "PostgresServer",
                nio.core, nio.posix, protobuf, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Tests/Benchmarks", swiftSettings: strict),

        // Tests, and what several of them begin with.
        .target(
            name: "MeshFixtures",
            dependencies: ["MeshCompiler", "Documents", "MeshCore", "GrayRelease", "MeshModel", "TestSupport"],
            path: "Tests/MeshFixtures",
            swiftSettings: strict),
        .target(
            name: "ReleaseFixtures", dependencies: ["Documents", "MeshCore", "Analysis", "GrayRelease", "TestSupport"],
            path: "Tests/ReleaseFixtures", swiftSettings: strict),
        .target(
            name: "GRPCFixtures", dependencies: ["GRPCServer", "HTTP2", nio.core, nio.embedded, logging],
            path: "Tests/GRPCFixtures", swiftSettings: strict),
        .target(
            name: "HTTP2Fixtures", dependencies: [nio.core, "TestSupport"], path: "Tests/HTTP2Fixtures",
            swiftSettings: strict),
        .target(
            name: "HTTPFixtures", dependencies: [nio.core, nio.posix, nio.ssl], path: "Tests/HTTPFixtures",
            swiftSettings: strict),
        .target(name: "TestSupport", dependencies: [logging], path: "Tests/TestSupport", swiftSettings: strict),
        .target(
            name: "StoreFixtures", dependencies: ["MeshStore", "Postgres", "PostgresServer", "TestSupport"],
            path: "Tests/StoreFixtures", swiftSettings: strict),
        .testTarget(
            name: "PostgresTests", dependencies: ["Postgres", "PostgresServer", "TestSupport", logging, subprocess],
            swiftSettings: strict),
        .testTarget(
            name: "PostgresServerTests", dependencies: ["Postgres", "PostgresServer", "TestSupport", logging],
            swiftSettings: strict),
        .testTarget(
            name: "HTTP2Tests", dependencies: ["HTTP2", "HTTP2Fixtures", nio.core, nio.embedded, "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "GRPCServerTests",
            dependencies: [
                "GRPCServer", "GRPCFixtures", "HTTP2", "HTTP2Fixtures", nio.core, nio.posix, nio.embedded, nio.ssl,
                logging, "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "XDSServerTests",
            dependencies: [
                "XDSServer", "GRPCServer", "GRPCFixtures", "HTTP2", "HTTP2Fixtures", "EnvoyProtos", nio.core, nio.posix,
                nio.embedded, protobuf, logging, "TestSupport",
            ], swiftSettings: strict),
        .testTarget(name: "PrometheusTests", dependencies: ["Prometheus", logging, metrics], swiftSettings: strict),
        .testTarget(name: "ParallelTests", dependencies: ["Parallel"], swiftSettings: strict),
        .testTarget(name: "RE2Tests", dependencies: ["RE2"], swiftSettings: strict),
        .testTarget(
            name: "EgressTests",
            dependencies: [
                "Egress", "Documents", "HTTPFixtures", "TestSupport", nio.core, nio.posix, nio.ssl, crypto,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "DocumentsTests", dependencies: ["Documents", "MeshFixtures", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "EnvoyProtosTests", dependencies: ["EnvoyProtos", protobuf], swiftSettings: strict),
        .testTarget(name: "MeshCoreTests", dependencies: ["RE2", "Documents", "MeshCore"], swiftSettings: strict),
        .testTarget(
            name: "AnalysisTests", dependencies: ["Analysis", "Documents", "MeshCore", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "GrayReleaseTests",
            dependencies: [
                "Documents", "MeshCore", "Analysis", "GrayRelease", "ReleaseFixtures", "MeshFixtures", "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "MeshModelTests",
            dependencies: [
                "RE2", "Documents", "MeshCore", "GrayRelease", "MeshModel", "ReleaseFixtures",
                "MeshFixtures",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "MeshCompilerTests",
            dependencies: [
                "MeshCompiler", "RE2", "Documents", "MeshCore", "GrayRelease", "MeshModel", "MeshFixtures",
                "TestSupport",
            ],
            exclude: ["Golden"], swiftSettings: strict),
        .testTarget(
            name: "EnvoyConfigTests",
            dependencies: [
                "EnvoyConfig", "EnvoyProtos", "MeshCompiler", "Documents", "MeshCore", "GrayRelease", "MeshModel",
                "MeshFixtures", "TestSupport", protobuf, yams,
            ],
            exclude: ["Golden"], swiftSettings: strict),
        .testTarget(
            name: "MeshIdentityTests", dependencies: ["MeshIdentity", "MeshCore", "MeshModel", crypto],
            swiftSettings: strict),
        .testTarget(
            name: "MeshStoreTests",
            dependencies: [
                "MeshStore", "Documents", "MeshCore", "Analysis", "GrayRelease", "MeshModel", "Postgres",
                "PostgresServer", "Prometheus", "StoreFixtures", "TestSupport",
            ],
            exclude: ["Databases"], swiftSettings: strict),
        .testTarget(
            name: "MeshFeedTests",
            dependencies: [
                "MeshFeed", "Documents", "MeshCore", "MeshModel", "MeshStore", "Postgres", "Prometheus",
                "StoreFixtures", "TestSupport",
            ], swiftSettings: strict),
        .testTarget(
            name: "MeshTelemetryTests",
            dependencies: [
                "MeshTelemetry", "Analysis", "Documents", "MeshCore", "MeshModel", "MeshStore", "Postgres",
                "StoreFixtures",
                "TestSupport", logging, metrics,
            ], swiftSettings: strict),
        .testTarget(
            name: "MeshControlTests",
            dependencies: [
                "MeshControl", "Analysis", "MeshTelemetry", "MeshFeed", "MeshIdentity", "MeshCompiler", "Egress",
                "HTTPFixtures", "RE2", "Documents",
                "MeshCore", "GrayRelease", "MeshModel", "MeshStore", "MeshFixtures", "Postgres", "StoreFixtures",
                "TestSupport",
                logging,
            ], swiftSettings: strict),
        .testTarget(
            name: "MeshAPITests",
            dependencies: [
                "MeshAPI", "MeshControl", "MeshFeed", "MeshFixtures", "MeshIdentity", "Documents", "MeshCore",
                "GrayRelease", "MeshModel", "MeshStore", "Postgres", "Prometheus", "StoreFixtures", "TestSupport",
                hummingbird, httpClient, lifecycle, metrics, nio.core, nio.posix, yams,
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ], swiftSettings: strict),
        .testTarget(
            name: "MeshReleaseTests",
            dependencies: [
                "MeshRelease", "Analysis", "MeshCore", "GrayRelease", "ReleaseFixtures", "TestSupport", logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "MeshDataPlaneTests",
            dependencies: [
                "MeshDataPlane", "EnvoyConfig", "GRPCServer", "HTTP2", "MeshCompiler", "MeshControl", "MeshFeed",
                "MeshFixtures", "MeshIdentity", "ReleaseFixtures",
                "Documents", "MeshCore", "GrayRelease", "MeshModel", "MeshStore", "StoreFixtures", "TestSupport",
                "XDSServer", nio.core, nio.posix,
            ], swiftSettings: strict),
        .testTarget(
            name: "SluiceTests",
            dependencies: [
                "sluice", "Documents", "MeshIdentity", "TestSupport", nio.core, nio.posix, configuration, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: strict),
        // The server itself is built with the tests that start it.
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "MeshCompiler", "MeshFixtures", "MeshLab", "HTTPFixtures", "Documents", "MeshCore", "GrayRelease",
                "MeshModel", "PostgresServer", "TestSupport", "sluice", logging,
            ],
            exclude: ["proxyless.py"],
            swiftSettings: strict),
    ]
)
