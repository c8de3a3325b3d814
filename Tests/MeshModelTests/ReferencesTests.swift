import Documents
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("What objects name")
struct ReferencesTests {
    private static func name(_ text: String) throws -> Name { try MeshDocument.name(text) }

    /// `kind place part pointer strength right` of each.
    private static func references(
        _ kind: Kind, _ spec: JSONValue, namespace: String? = "shop", service: String? = nil
    ) throws -> [String] {
        let isInMesh = kind.info.isInMesh
        let key = ObjectKey(
            kind, try name("x"), of: try name("acme"), mesh: isInMesh ? try name("main") : nil,
            namespace: isInMesh ? try namespace.map { try name($0) } : nil, service: try service.map { try name($0) })
        return try #require(kind.references(in: spec, of: key)).map { reference in
            let target = reference.target
            #expect(target.tenant == key.tenant)
            #expect(!target.kind.info.isInMesh || target.mesh == key.mesh)
            let place = [target.namespace, target.service, target.name].compactMap { $0?.text }.joined(separator: "/")
            let words = [
                target.kind.name, place, reference.part?.description ?? "-", reference.pointer.description,
                reference.strength.rawValue, "\(reference.right)",
            ]
            return words.joined(separator: " ")
        }
    }

    @Test("an endpoint its cluster, and the version that it is one of")
    func endpoints() throws {
        let whole: JSONValue = ["cluster": "dev", "address": "10.0.0.1", "ports": ["http": 8080], "version": "v1"]
        #expect(
            try Self.references(.endpoint, whole, service: "reviews") == [
                "Cluster dev - /spec/cluster strong none",
                "Service shop/reviews version/v1 /spec/version strong none",
            ])
        let plain: JSONValue = ["cluster": "dev", "address": "10.0.0.1", "ports": ["http": 8080]]
        #expect(
            try Self.references(.endpoint, plain, service: "reviews") == ["Cluster dev - /spec/cluster strong none"])
    }

    @Test("a metric provider the Secret that its credentials are in")
    func metricProviders() throws {
        let secret: JSONValue = ["secretRef": ["name": "db", "key": "token"]]
        let basic: JSONValue = ["username": "u", "secretRef": ["name": "db", "key": "token"]]
        let header: JSONValue = ["name": "X-Key", "secretRef": ["name": "db", "key": "token"]]
        for (source, auth, place) in [
            ("prometheus", ["bearer": secret], "prometheus/auth/bearer"),
            ("httpJson", ["basic": basic], "httpJson/auth/basic"),
            ("prometheus", ["header": header], "prometheus/auth/header"),
        ] as [(String, JSONValue, String)] {
            let spec: JSONValue = [source: ["url": "https://example.com", "auth": auth]]
            #expect(
                try Self.references(.metricProvider, spec) == [
                    "Secret shop/db key/token /spec/\(place)/secretRef strong none"
                ])
        }
        #expect(try Self.references(.metricProvider, ["prometheus": ["url": "https://example.com"]]) == [])
    }

    @Test("a notification channel its Secrets, and a release its channels, in steps too")
    func notifications() throws {
        let url: JSONValue = ["secretRef": ["name": "ops", "key": "url"]]
        let sign: JSONValue = ["secretRef": ["name": "ops", "key": "sign"]]
        #expect(
            try Self.references(.notificationChannel, ["type": "json", "urlFrom": url, "signFrom": sign]) == [
                "Secret shop/ops key/url /spec/urlFrom/secretRef strong none",
                "Secret shop/ops key/sign /spec/signFrom/secretRef strong none",
            ])
        let note: JSONValue = ["notify": ["channels": ["a", "b"], "message": "m"]]
        let release: JSONValue = [
            "service": "reviews", "stable": ["version": "v1"], "canary": ["version": "v2"],
            "notifications": [["channel": "ops"]],
            "strategy": ["type": "canary", "steps": [["setWeight": 10], note]],
        ]
        #expect(
            try Self.references(.release, release).filter { $0.hasPrefix("NotificationChannel") } == [
                "NotificationChannel shop/ops - /spec/notifications/0/channel weak none",
                "NotificationChannel shop/a - /spec/strategy/steps/1/notify/channels/0 weak none",
                "NotificationChannel shop/b - /spec/strategy/steps/1/notify/channels/1 weak none",
            ])
    }

    @Test("a cluster the mesh that it is part of, and was")
    func clusters() throws {
        for (isEnabled, strength) in [(true, "strong"), (false, "weak")] {
            let spec: JSONValue = ["kind": "universal", "mesh": ["enabled": .bool(isEnabled), "mesh": "blue"]]
            #expect(try Self.references(.cluster, spec) == ["Mesh blue - /spec/mesh/mesh \(strength) none"])
        }
        #expect(try Self.references(.cluster, ["kind": "universal"]) == [])
    }

    @Test("rules their hosts, which takes the right to decide about them, and where they send requests")
    func virtualServices() throws {
        let spec: JSONValue = [
            "hosts": ["reviews", "cart.other"],
            "http": [
                [
                    "route": [
                        ["destination": ["host": "reviews", "subset": "v1"], "weight": 50],
                        ["destination": ["host": "ratings.other.svc.cluster.local."], "weight": 50],
                    ],
                    "mirror": ["host": "reviews", "subset": "v3"],
                ],
                ["redirect": ["uri": "/"]],
                ["route": [["destination": ["host": "v4"]]]],
            ],
        ]
        #expect(
            try Self.references(.virtualService, spec) == [
                "Service shop/reviews - /spec/hosts/0 weak write", "Service other/cart - /spec/hosts/1 weak write",
                "Service shop/reviews subset/v1 /spec/http/0/route/0/destination strong none",
                "Service other/ratings - /spec/http/0/route/1/destination strong none",
                "Service shop/reviews subset/v3 /spec/http/0/mirror strong none",
                // A service of this name, or in the early spelling a version of one of the hosts.
                "Service shop/v4 - /spec/http/2/route/0/destination possible none",
                "Service other/cart subset/v4 /spec/http/2/route/0/destination possible none",
                "Service shop/reviews subset/v4 /spec/http/2/route/0/destination possible none",
            ])
        // Its own host is no version.
        let own: JSONValue = ["hosts": ["reviews"], "http": [["route": [["destination": ["host": "reviews"]]]]]]
        #expect(
            try Self.references(.virtualService, own).last
                == "Service shop/reviews - /spec/http/0/route/0/destination strong none")
    }

    @Test("a destination rule its host, and a release its service and versions")
    func others() throws {
        #expect(
            try Self.references(.destinationRule, ["host": "reviews", "subsets": [["name": "v1"]]]) == [
                "Service shop/reviews - /spec/host weak none"
            ])
        let release: JSONValue = [
            "service": "reviews", "stable": ["version": "v1"], "canary": ["version": "v2"],
            "strategy": ["type": "canary", "steps": [["setWeight": 10]]],
        ]
        #expect(
            try Self.references(.release, release) == [
                "Service shop/reviews - /spec/service weak none",
                "Service shop/reviews version/v1 /spec/stable/version weak none",
                "Service shop/reviews version/v2 /spec/canary/version weak none",
            ])
    }

    @Test("nothing, if it names nothing or cannot be read")
    func nothing() throws {
        #expect(try Self.references(.tenant, ["displayName": "Acme"]) == [])
        #expect(try Self.references(.service, ["ports": [["name": "http", "port": 80, "protocol": "HTTP"]]]) == [])
        let key = ObjectKey.cluster(try Self.name("a"), of: try Self.name("acme"))
        #expect(Kind.cluster.references(in: ["kind": 1], of: key) == nil)
    }

    @Test("parts have a text form")
    func parts() throws {
        for text in ["version/v1", "subset/a-b"] { #expect(Reference.Part(text)?.description == text) }
        for text in ["", "version", "version/", "version/A", "port/80", "version/a/b"] {
            #expect(Reference.Part(text) == nil, "\(text)")
        }
    }
}
