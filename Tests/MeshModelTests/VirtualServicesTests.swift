import Documents
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("VirtualServices are read as Istio's are, in today's and in the early spelling")
struct VirtualServicesTests {
    private static func read(_ document: JSONValue) -> (spec: VirtualServiceSpec?, log: ViolationLog) {
        let log = ViolationLog()
        return (VirtualServiceSpec.read(document, at: JSONPointer(["spec"]), log: log), log)
    }

    private static func rule(_ rule: [String: JSONValue]) -> JSONValue {
        [
            "hosts": ["reviews"],
            "http": [.object(["route": [["destination": ["host": "reviews"]]]].merging(rule) { $1 })],
        ]
    }

    // MARK: - The talk's examples

    @Test func seedByWeight() throws {
        let (spec, log) = Self.read([
            "hosts": ["svcb"],
            "http": [
                "route": [
                    ["destination": ["name": "v1"], "weight": 20], ["destination": ["name": "v2"], "weight": 80],
                ]
            ],
        ])
        #expect(log.violations.isEmpty && log.unknownFields.isEmpty)
        #expect(
            log.warnings.map(\.pointer.description)
                == [
                    "/spec/http", "/spec/http/0/route/0/destination/name", "/spec/http/0/route/1/destination/name",
                ].map { $0.replacing("/http/0/", with: "/http/") })
        #expect(
            try #require(spec).json == [
                "hosts": ["svcb"],
                "http": [
                    [
                        "route": [
                            ["destination": ["host": "v1"], "weight": 20],
                            ["destination": ["host": "v2"], "weight": 80],
                        ]
                    ]
                ],
            ])
    }

    @Test func seedTypical() throws {
        let document: JSONValue = [
            "hosts": ["reviews"], "gateways": ["bookinfo", "mesh"],
            "http": [
                [
                    "match": [
                        [
                            "headers": ["cookie": ["regex": "^(.*?;)?(user=jason)(;.*)?"]],
                            "uri": ["prefix": "/catalog1"],
                        ], ["uri": ["prefix": "/catalog2"]],
                    ],
                    "rewrite": ["uri": "/newcatalog"],
                    "route": [
                        ["destination": ["name": "reviews", "subset": "v2"], "weight": 25],
                        ["destination": ["name": "reviews", "subset": "v3"], "weight": 75],
                    ],
                ], ["route": [["destination": ["name": "reviews", "subset": "v1"]]]],
            ],
        ]
        let (read, log) = Self.read(document)
        let spec = try #require(read)
        #expect(log.violations.isEmpty && log.unknownFields.isEmpty)
        #expect(log.warnings.count == 3)
        #expect(spec.appliesToSidecars)
        guard case .route(let destinations) = spec.http[0].action else { throw MeshDocument.Unreadable("no route") }
        #expect(destinations.map(\.destination.host) == ["reviews", "reviews"])
        #expect(destinations.map(\.weight) == [25, 75])
    }

    // MARK: - Round trip

    @Test(arguments: Golden.meshes)
    func whatIsWrittenReadsAsTheSame(_ golden: Golden) throws {
        for rules in try MeshDocument.read(golden.input("mesh.json")).virtualServices.values {
            let (again, log) = Self.read(rules.spec.json)
            #expect(again == rules.spec)
            #expect(log.warnings.isEmpty, "the canonical document has today's spelling")
            #expect(log.unknownFields.isEmpty)
        }
    }

    // MARK: - Mistakes

    @Test(
        arguments: [
            ([:], ["/spec/hosts required", "/spec/http required"]),
            (["hosts": [], "http": []], ["/spec/hosts required", "/spec/http required"]),
            (
                ["hosts": ["a", "a"], "http": [["route": [["destination": ["host": "a"]]]]]],
                ["/spec/hosts/1 duplicate"]
            ),
            (["hosts": ["*"], "http": [["route": [["destination": ["host": "a"]]]]]], ["/spec/hosts/0 unsupported"]),
            (
                ["hosts": ["A_b"], "http": [["route": [["destination": ["host": "a"]]]]]],
                ["/spec/hosts/0 invalidFormat"]
            ),
            (rule(["route": nil]), ["/spec/http/0 required"]),
            (rule(["route": [["destination": [:]]]]), ["/spec/http/0/route/0/destination/host required"]),
            (
                rule(["route": [["destination": ["host": "a", "name": "a"]]]]),
                ["/spec/http/0/route/0/destination/name conflict"]
            ),
            (
                rule(["route": [["destination": ["host": "a"], "weight": -1]]]),
                ["/spec/http/0/route/0/weight outOfRange"]
            ),
            (
                rule(["route": [["destination": ["host": "a"], "weight": .integer(.max)]]]),
                ["/spec/http/0/route/0/weight outOfRange"]
            ),
            (
                rule([
                    "route": [
                        ["destination": ["host": "a"], "weight": 20], ["destination": ["host": "b"], "weight": 70],
                    ]
                ]), ["/spec/http/0/route invalidValue"]
            ),
            (
                rule(["route": [["destination": ["host": "a"]], ["destination": ["host": "b"]]]]),
                ["/spec/http/0/route invalidValue"]
            ),
            (rule(["redirect": ["uri": "/x"]]), ["/spec/http/0 conflict"]),
            (rule(["timeout": "soon"]), ["/spec/http/0/timeout invalidFormat"]),
            (rule(["timeout": 3]), ["/spec/http/0/timeout wrongType"]),
            (
                rule(["retries": ["attempts": 1, "retryOn": "5xx,maybe"]]),
                ["/spec/http/0/retries/retryOn invalidValue"]
            ),
            (rule(["fault": ["abort": ["httpStatus": 99]]]), ["/spec/http/0/fault/abort/httpStatus outOfRange"]),
            (
                rule(["fault": ["delay": ["fixedDelay": "1s", "percentage": ["value": 101]]]]),
                ["/spec/http/0/fault/delay/percentage/value outOfRange"]
            ),
            (rule(["match": [["uri": ["regex": "(?=a)"]]]]), ["/spec/http/0/match/0/uri/regex invalidFormat"]),
            (
                rule(["match": [["uri": ["exact": "/a", "prefix": "/a"]]]]), ["/spec/http/0/match/0/uri conflict"]
            ),
            (
                rule(["match": [["headers": ["bad name": [:]]]]]),
                ["/spec/http/0/match/0/headers/bad name invalidFormat"]
            ),
            (rule(["match": [["headers": ["A": [:], "a": [:]]]]]), ["/spec/http/0/match/0/headers/a duplicate"]),
            (
                rule([
                    "match": [
                        [
                            "withoutHeaders": [
                                "x-a": ["exact": ""], "x-b": ["regex": "a*"], "x-c": ["prefix": ""], "x-d": [:],
                                "x-e": ["regex": ".*"], "x-f": ["regex": "a+"], "x-g": ["exact": "a"],
                            ]
                        ]
                    ]
                ]),
                [
                    "/spec/http/0/match/0/withoutHeaders/x-a invalidValue",
                    "/spec/http/0/match/0/withoutHeaders/x-b invalidValue",
                ]
            ),
            (
                rule([
                    "headers": [
                        "request": [
                            "set": ["x-a": "50%", "x-b": "50%% of %REQ(x-user)%", "host": "%HOSTNAME%"],
                            "add": ["x-c": "%ENVIRONMENT(HOME)%"],
                        ], "response": ["add": ["x-d": "%REQ%"], "set": ["x-e": "%NO_SUCH_COMMAND%"]],
                    ]
                ]),
                [
                    "/spec/http/0/headers/request/set/host invalidFormat",
                    "/spec/http/0/headers/request/set/x-a invalidFormat",
                    "/spec/http/0/headers/request/add/x-c invalidFormat",
                    "/spec/http/0/headers/response/set/x-e invalidFormat",
                    "/spec/http/0/headers/response/add/x-d invalidFormat",
                ]
            ),
            (
                rule([
                    "route": [
                        ["destination": ["host": "a"], "headers": ["request": ["add": ["x-a": "%"]]]]
                    ]
                ]), ["/spec/http/0/route/0/headers/request/add/x-a invalidFormat"]
            ),
            (rule(["match": [["queryParams": ["": [:]]]]]), ["/spec/http/0/match/0/queryParams/ invalidFormat"]),
            (rule(["mirrorPercentage": ["value": 5]]), ["/spec/http/0/mirrorPercentage conflict"]),
            (
                rule(["rewrite": ["uriRegexRewrite": ["match": "(a)", "rewrite": "\\2"]]]),
                ["/spec/http/0/rewrite/uriRegexRewrite/rewrite invalidFormat"]
            ),
            (
                rule(["headers": ["request": ["set": ["x": "a\nb"], "remove": [":path"]]]]),
                [
                    "/spec/http/0/headers/request/set/x invalidFormat",
                    "/spec/http/0/headers/request/remove/0 invalidFormat",
                ]
            ),
            (
                rule(["corsPolicy": [:], "delegate": [:]]),
                ["/spec/http/0/delegate unsupported", "/spec/http/0/corsPolicy unsupported"]
            ),
            (rule(["mirrorPercent": 5]), ["/spec/http/0/mirrorPercentage conflict"]),
            (rule(["match": [["sourceLabels": ["a": "b"]]]]), ["/spec/http/0/match/0/sourceLabels unsupported"]),
            (
                ["hosts": ["a"], "tcp": [], "exportTo": ["."], "http": [["route": [["destination": ["host": "a"]]]]]],
                ["/spec/exportTo/0 unsupported", "/spec/tcp unsupported"]
            ),
        ] as [(JSONValue, [String])])
    func mistakesAreAllPointedAt(_ document: JSONValue, _ expected: [String]) {
        let (_, log) = Self.read(document)
        #expect(log.violations.map { "\($0.pointer) \($0.code.rawValue)" } == expected)
    }

    @Test func theSumOfWeightsIsNamed() throws {
        let (_, log) = Self.read(
            Self.rule([
                "route": [["destination": ["host": "a"], "weight": 20], ["destination": ["host": "b"], "weight": 70]]
            ]))
        #expect(try #require(log.violations.first).detail.contains("90"))
    }

    /// An update of the server must not put rules out of force that it refuses only today.
    @Test func whatWasAcceptedOnceIsReadFromTheStore() throws {
        let document = Self.rule([
            "match": [["withoutHeaders": ["x-a": ["exact": ""]]]],
            "headers": ["request": ["set": ["x-b": "50%", "host": "50%"]]],
        ])
        #expect(VirtualServiceSpec.read(document, at: .root, log: ViolationLog()) == nil)
        let stored = ViolationLog(ofStored: true)
        let spec = try #require(VirtualServiceSpec.read(document, at: .root, log: stored))
        #expect(spec.json == document && stored.violations.isEmpty)
    }

    @Test func hostsAreKeptWithoutTheDotThatMakesThemAbsolute() throws {
        let (spec, log) = Self.read([
            "hosts": ["reviews.shop.svc.cluster.local."],
            "http": [["route": [["destination": ["host": "reviews.shop.svc.cluster.local."]]]]],
        ])
        #expect(log.violations.isEmpty && log.warnings.isEmpty)
        #expect(
            try #require(spec).json == [
                "hosts": ["reviews.shop.svc.cluster.local"],
                "http": [["route": [["destination": ["host": "reviews.shop.svc.cluster.local"]]]]],
            ])
        let (twice, again) = Self.read([
            "hosts": ["reviews", "reviews."], "http": [["route": [["destination": ["host": "reviews"]]]]],
        ])
        #expect(twice == nil && again.violations.map(\.code) == [.duplicate])
    }

    @Test func unknownFieldsAreReported() {
        let (_, log) = Self.read(Self.rule(["timeuot": "1s"]))
        #expect(log.unknownFields.map(\.pointer.description) == ["/spec/http/0/timeuot"])
    }

    @Test func earlyPercentagesAreRead() throws {
        let (read, log) = Self.read(
            Self.rule([
                "fault": ["delay": ["percent": 5, "fixedDelay": "1s"]], "mirror": ["name": "b"], "mirrorPercent": 50,
            ]))
        let rule = try #require(read).http[0]
        #expect(rule.fault?.delay?.percentage.partsPerMillion == 50_000)
        #expect(rule.mirror?.percentage?.partsPerMillion == 500_000)
        #expect(log.warnings.count == 3)
    }
}
