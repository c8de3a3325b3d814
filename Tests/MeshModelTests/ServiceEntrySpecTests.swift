import Documents
import GrayRelease
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("A ServiceEntry defines hosts, and where they are")
struct ServiceEntrySpecTests {
    private static let entry: JSONValue = [
        "hosts": ["pay.example.com"], "resolution": "STATIC", "ports": [["name": "http", "number": 80]],
        "endpoints": [["address": "192.0.2.1"]],
    ]

    private static let dns: JSONValue = [
        "hosts": ["pay.example.com"], "resolution": "DNS", "ports": [["name": "http", "number": 80]],
    ]

    @Test(
        "what cannot be is refused",
        arguments: [
            (entry, [:], []), (dns, [:], []),
            (entry, ["hosts": ["*.example.com"]], ["/hosts/0 unsupported"]),
            (entry, ["hosts": ["pay"]], ["/hosts/0 invalidFormat"]),
            (entry, ["hosts": ["192.0.2.1"]], ["/hosts/0 invalidFormat"]),
            (entry, ["hosts": ["reviews.shop.svc.cluster.local"]], ["/hosts/0 invalidFormat"]),
            (entry, ["hosts": ["a.example.com", "a.example.com."]], ["/hosts/1 duplicate"]),
            (entry, ["endpoints": nil], ["/endpoints required"]), (entry, ["endpoints": []], ["/endpoints required"]),
            (entry, ["endpoints": 1], ["/endpoints wrongType"]),
            (entry, ["endpoints": [["address": "pay.example.com"]]], ["/endpoints/0/address invalidFormat"]),
            (dns, ["endpoints": [["address": "pay.example.com"], ["address": "192.0.2.1"]]], []),
            (dns, ["endpoints": [["address": "pay.example.com."]]], []),
            (dns, ["endpoints": [["address": "a b"]]], ["/endpoints/0/address invalidFormat"]),
            (dns, ["resolution": "DNS_ROUND_ROBIN", "endpoints": [["address": "a.example"]]], []),
            (
                dns,
                ["resolution": "DNS_ROUND_ROBIN", "endpoints": [["address": "a.example"], ["address": "b.example"]]],
                ["/endpoints tooMany"]
            ),
            (entry, ["endpoints": [["address": "192.0.2.1", "ports": ["http": 8080]]]], []),
            (
                entry, ["endpoints": [["address": "192.0.2.1", "ports": ["grpc": 1]]]],
                ["/endpoints/0/ports/grpc unknownReference"]
            ),
            // Two endpoints at one place, as far as some port goes.
            (
                entry, ["endpoints": [["address": "192.0.2.1"], ["address": "192.0.2.1"]]],
                ["/endpoints/1/address duplicate"]
            ),
            (entry, ["endpoints": [["address": "192.0.2.1"], ["address": "192.0.2.1", "ports": ["http": 81]]]], []),
            (
                entry, ["endpoints": [["address": "192.0.2.1"], ["address": "192.0.2.1", "ports": ["http": 80]]]],
                ["/endpoints/1/address duplicate"]
            ),
            (
                entry,
                [
                    "ports": [["name": "http", "number": 80, "targetPort": 81]],
                    "endpoints": [["address": "192.0.2.1"], ["address": "192.0.2.1", "ports": ["http": 81]]],
                ], ["/endpoints/1/address duplicate"]
            ),
            (entry, ["exportTo": ["*", ".", "shop"]], []),
            (entry, ["exportTo": ["a b"]], ["/exportTo/0 invalidFormat"]),
            (entry, ["exportTo": ["shop", "shop"]], ["/exportTo/1 duplicate"]),
        ] as [(JSONValue, JSONValue, [String])])
    func documents(document: JSONValue, change: JSONValue, expected: [String]) {
        #expect(mistakes(in: document.merged(change), ServiceEntrySpec.self) == expected)
    }

    @Test("why an address is none is said, and how many members are too many")
    func details() {
        func details(_ document: JSONValue) -> [String] {
            let log = ViolationLog()
            _ = ServiceEntrySpec.read(document, at: .root, log: log)
            return log.violations.map(\.detail)
        }
        let wrong: JSONValue = ["endpoints": [["address": "a b"]]]
        #expect(details(Self.entry.merged(wrong)) == ["must be an IPv4 or IPv6 address where the resolution is STATIC"])
        #expect(details(Self.dns.merged(wrong)) == ["must be an IPv4 or IPv6 address, or a name of DNS"])
        func members(_ endpoints: Int) -> [String] {
            details(
                Self.entry.merged([
                    "hosts": .array((0..<32).map { .string("h\($0).example.com") }),
                    "endpoints": .array((0..<endpoints).map { ["address": .string("192.0.\($0 / 250).\($0 % 250)")] }),
                ]))
        }
        #expect(members(625) == [])
        #expect(
            members(626) == ["come to 20032 members of clusters; allowed are \(Limits.membersPerServiceEntry.rule)"])
    }

    @Test("requests to port 443 are warned of: they go there as they are")
    func encryption() {
        for (number, warned) in [(443, 1), (444, 0)] as [(Int64, Int)] {
            let log = ViolationLog()
            _ = ServiceEntrySpec.read(
                Self.entry.merged(["ports": [["name": "http", "number": .integer(number)]]]), at: .root, log: log)
            #expect(log.warnings.count == warned)
        }
    }

    @Test("who sees them, where they are, and what of the document nothing depends on")
    func definitions() throws {
        let shop = try MeshDocument.name("shop")
        func definition(_ document: JSONValue) throws -> DefinedHost {
            let spec: ServiceEntrySpec = try MeshDocument.spec(document)
            return try #require(spec.definitions(in: shop, createTime: Timestamp(microseconds: 1)).first)
        }
        let ops = try MeshDocument.name("ops")
        let exports: [(exportTo: JSONValue, export: DefinedHost.Export)] = [
            ([], .everybody), (["*"], .everybody), (["*", "ops"], .everybody), (["."], .namespaces([shop])),
            (["ops"], .namespaces([ops])), ([".", "ops"], .namespaces([shop, ops])),
        ]
        for row in exports {
            #expect(try definition(Self.entry.merged(["exportTo": row.exportTo])).export == row.export)
        }
        let http = try MeshDocument.name("http")
        func member(_ address: String, _ port: Int? = nil) -> DefinedHost.Member {
            .init(address: address, ports: port.map { [http: $0] } ?? [:], weight: 1, locality: "")
        }
        #expect(try definition(Self.entry).members == .addresses([member("192.0.2.1")]))
        #expect(try definition(Self.dns).members == .names([member("pay.example.com")], first: false))
        let one = Self.dns.merged(["resolution": "DNS_ROUND_ROBIN", "endpoints": [["address": "a.example."]]])
        #expect(try definition(one).members == .names([member("a.example")], first: true))
        let moved = Self.dns.merged(["ports": [["name": "http", "number": 80, "targetPort": 8080]]])
        #expect(try definition(moved).members == .names([member("pay.example.com", 8080)], first: false))
        #expect(try definition(Self.entry).idle.isEmpty)
        #expect(
            try definition(Self.entry.merged(["location": "MESH_INTERNAL"])).idle.keys.map(\.description) == [
                "/spec/location"
            ])
    }

    @Test("an export has another one in it if all see it whom the other is for")
    func exports() throws {
        let (shop, ops, pay) = (
            try MeshDocument.name("shop"), try MeshDocument.name("ops"), try MeshDocument.name("pay")
        )
        let rows: [(own: DefinedHost.Export, other: DefinedHost.Export, includes: Bool)] = [
            (.everybody, .everybody, true), (.everybody, .namespaces([ops]), true),
            (.namespaces([ops]), .everybody, false),
            (.namespaces([ops]), .namespaces([ops]), true), (.namespaces([ops]), .namespaces([ops, pay]), false),
            (.namespaces([ops]), .namespaces([ops, shop]), true), (.namespaces([]), .namespaces([shop]), true),
        ]
        for row in rows { #expect(row.own.includes(row.other, besides: shop) == row.includes, "\(row)") }
        #expect(DefinedHost.Export.everybody.contains(ops) && DefinedHost.Export.namespaces([ops]).contains(ops))
        #expect(!DefinedHost.Export.namespaces([ops]).contains(shop))
    }
}
