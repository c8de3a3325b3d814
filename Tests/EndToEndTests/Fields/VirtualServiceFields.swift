import Documents
import Testing

/// What each field of a VirtualService does.
enum VirtualServiceFields {
    static let rows = whole + matches + destinations + edits + answers + policies + faults + mirrors

    private static func to(_ version: String) -> JSONValue {
        [["destination": ["host": "$host", "subset": .string(version)]]]
    }

    /// Rules for the row's service; everything goes to v1 in the end.
    private static func rules(_ first: [String: JSONValue]) -> JSONValue {
        ["hosts": ["$host"], "http": [.object(first), ["route": to("v1")]]]
    }

    /// Requests that fit go to v2, others to v1.
    private static func matching(_ match: JSONValue) -> JSONValue { rules(["match": [match], "route": to("v2")]) }

    // MARK: All of it

    private static let teapot: JSONValue = ["directResponse": ["status": 418]]

    private static let whole = [
        FieldRow("/spec/hosts", ["hosts": ["$host"], "http": [teapot]], against: ["shared"], .status(418)),
        FieldRow("/spec/gateways", ["hosts": ["$host"], "gateways": ["edge"], "http": [teapot]], .status(200)),
        FieldRow(
            "/spec/http/0/name",
            rules(["name": "first", "route": to("v1"), "headers": ["response": ["set": ["x-route": "%ROUTE_NAME%"]]]]),
            .answered("x-route", "first")),
        FieldRow(
            "/spec/http/0/match/0/name",
            rules([
                "match": [["name": "second", "uri": ["prefix": "/a"]]], "name": "first", "route": to("v1"),
                "headers": ["response": ["set": ["x-route": "%ROUTE_NAME%"]]],
            ]), asks: [Ask("/a")], .answered("x-route", "first.second")),
    ]

    static let fixed = [
        FixedField(
            "/spec/exportTo", ["hosts": ["a"], "exportTo": ["*"], "http": [teapot]], refuses: ["."])
    ]

    /// Fields that are about VirtualServices of other namespaces than the one that all rows are in.
    static let elsewhere = ["/spec/delegateHosts/*/host", "/spec/delegateHosts/*/namespaces"]

    // MARK: Which requests

    private static let matches =
        [
            texts(
                "uri", ("exact", "/a", Ask("/a"), Ask("/ab")), ("prefix", "/a", Ask("/ab"), Ask("/b")),
                ("regex", "/a+", Ask("/aa"), Ask("/aab"))),
            texts(
                "method", ("exact", "POST", Ask(method: "POST"), Ask()), ("prefix", "PO", Ask(method: "POST"), Ask()),
                ("regex", "P.*", Ask(method: "PUT"), Ask())),
            texts(
                "authority", ("exact", "$host.fields", Ask(host: "$host.fields"), Ask()),
                ("prefix", "$host.f", Ask(host: "$host.fields.svc"), Ask()),
                ("regex", "[a-z0-9-]+[.]fields", Ask(host: "$host.fields"), Ask())),
            texts(
                "scheme", ("exact", "https", https, Ask()), ("prefix", "https", https, Ask()),
                ("regex", "htt.s", https, Ask())),
            texts(
                "headers/x-a", ("exact", "b", Ask("/", ["x-a": "b"]), Ask("/", ["x-a": "bc"])),
                ("prefix", "b", Ask("/", ["x-a": "bc"]), Ask("/", ["x-a": "cb"])),
                ("regex", "b+", Ask("/", ["x-a": "bb"]), Ask("/", ["x-a": "bbc"]))),
            // Without a text the header must be absent, which neither is.
            texts(
                "withoutHeaders/x-a", ("exact", "b", Ask("/", ["x-a": "bc"]), Ask("/", ["x-a": "b"])),
                ("prefix", "b", Ask("/", ["x-a": "cb"]), Ask("/", ["x-a": "bc"])),
                ("regex", "b+", Ask("/", ["x-a": "bbc"]), Ask("/", ["x-a": "bb"]))),
            texts(
                "queryParams/x-a", ("exact", "b", Ask("/?x-a=b"), Ask("/?x-a=bc")),
                ("prefix", "b", Ask("/?x-a=bc"), Ask("/?x-a=cb")), ("regex", "b+", Ask("/?x-a=bb"), Ask("/?x-a=bbc"))),
            [
                FieldRow(
                    "/spec/http/0/match/0/ignoreUriCase", matching(["uri": ["prefix": "/Ab"], "ignoreUriCase": true]),
                    asks: [Ask("/aBc")], .versions("v2")),
                FieldRow(
                    "/spec/http/0/match/0/port", matching(["port": 9081]), in: .twoPorts,
                    asks: [Ask(host: "$host:9081"), Ask()], .versions("alt-v2", "v1")),
                // Beyond the table's rule: a header that must not be there, given as an empty prefix.
                FieldRow(
                    "/spec/http/0/match/0/withoutHeaders/x-a/prefix",
                    matching(["withoutHeaders": ["x-a": ["prefix": ""]]]), against: "b",
                    asks: [Ask(), Ask("/", ["x-a": "c"])], .versions("v2", "v1")),
            ],
        ].flatMap(\.self)

    private static let https = Ask("/", ["x-forwarded-proto": "https"])

    private typealias Text = (kind: String, text: String, fits: Ask, other: Ask)

    /// The three ways to compare a text.
    private static func texts(_ place: String, _ texts: Text...) -> [FieldRow] {
        texts.map { kind, text, fits, other in
            let names = place.split(separator: "/").map(String.init)
            let condition = names.reversed().reduce(JSONValue.object([kind: .string(text)])) { .object([$1: $0]) }
            return FieldRow(
                "/spec/http/0/match/0/\(place)/\(kind)", matching(condition), asks: [fits, other],
                .versions("v2", "v1"))
        }
    }

    // MARK: Where to

    private static let destinations = [
        FieldRow(
            "/spec/http/0/route/0/destination/host", rules(["route": [["destination": ["host": "shared"]]]]),
            against: "$host", .only("shared")),
        FieldRow(
            "/spec/http/0/route/0/destination/name", rules(["route": [["destination": ["name": "shared"]]]]),
            against: "$host", .only("shared")),
        FieldRow(
            "/spec/http/0/route/0/destination/subset", rules(["route": to("v2")]), asks: [Ask(times: 20)],
            .only("v2")),
        FieldRow(
            "/spec/http/0/route/0/destination/port/number",
            rules(["route": [["destination": ["host": "$host", "subset": "v1", "port": ["number": 9081]]]]]),
            against: 9080, in: .twoPorts, .only("alt-v1")),
        FieldRow(
            "/spec/http/0/route/0/weight",
            rules([
                "route": [
                    ["destination": ["host": "$host", "subset": "v1"], "weight": 0],
                    ["destination": ["host": "$host", "subset": "v2"], "weight": 100],
                ]
            ]),
            without: rules([
                "route": [
                    ["destination": ["host": "$host", "subset": "v1"], "weight": 50],
                    ["destination": ["host": "$host", "subset": "v2"], "weight": 50],
                ]
            ]), asks: [Ask(times: 30)], .only("v2")),
    ]

    // MARK: What is changed on the way

    private static let edits =
        headers("/spec/http/0/headers") { rules(["route": to("v1"), "headers": $0]) }
        + headers("/spec/http/0/route/0/headers") {
            rules(["route": [["destination": ["host": "$host", "subset": "v1"], "headers": $0]]])
        } + [
            FieldRow(
                "/spec/http/0/headers/request/set",
                rules([
                    "route": to("v1"),
                    "headers": ["request": ["set": ["x-a": "%REQ(x-user)% has 100%%"], "add": ["x-b": "c"]]],
                ]), asks: [Ask("/", ["x-user": "ann"])], .saw("x-a", "ann has 100%")),
            FieldRow("/spec/http/0/rewrite/uri", rewriting, asks: [Ask("/a/x")], .sawPath("/b/x")),
            FieldRow("/spec/http/0/rewrite/authority", rewriting, asks: [Ask("/a/x")], .sawHost("inner")),
            FieldRow(
                "/spec/http/0/rewrite/uriRegexRewrite/match", rewritingByRegex, against: "^/none(.*)",
                asks: [Ask("/a/x")],
                .sawPath("/x/z")),
            FieldRow(
                "/spec/http/0/rewrite/uriRegexRewrite/rewrite", rewritingByRegex, against: "/\\1", asks: [Ask("/a/x")],
                .sawPath("/x/z")),
        ]

    private static let rewriting = rules([
        "match": [["uri": ["prefix": "/a"]]], "rewrite": ["uri": "/b", "authority": "inner"], "route": to("v1"),
    ])
    private static let rewritingByRegex = rules([
        "rewrite": ["uriRegexRewrite": ["match": "^/a/(.*)", "rewrite": "/\\1/z"]], "route": to("v1"),
    ])

    private static func headers(_ place: String, _ document: (JSONValue) -> JSONValue) -> [FieldRow] {
        let request = document(["request": ["set": ["x-a": "b"], "add": ["x-c": "d"], "remove": ["x-e"]]])
        let response = document(["response": ["set": ["x-a": "b"], "add": ["x-a": "c"], "remove": ["x-e"]]])
        return [
            FieldRow("\(place)/request/set", request, asks: [Ask("/", ["x-a": "old"])], .saw("x-a", "b")),
            FieldRow("\(place)/request/add", request, asks: [Ask("/", ["x-c": "old"])], .saw("x-c", "old, d")),
            FieldRow("\(place)/request/remove", request, asks: [Ask("/", ["x-e": "old"])], .saw("x-e", nil)),
            FieldRow(
                "\(place)/response/set", response, asks: [Ask("/", ["x-lab-answer": "x-a=old"])],
                .answered("x-a", "b, c")),
            FieldRow(
                "\(place)/response/add", response, asks: [Ask("/", ["x-lab-answer": "x-a=old"])],
                .answered("x-a", "b, c")),
            FieldRow(
                "\(place)/response/remove", response, asks: [Ask("/", ["x-lab-answer": "x-e=old"])],
                .answered("x-e", nil)),
        ]
    }

    // MARK: What is answered at once

    private static let answers = [
        FieldRow("/spec/http/0/redirect/uri", redirect, asks: [Ask("/a")], .answered("location", has: "/new")),
        FieldRow("/spec/http/0/redirect/authority", redirect, .answered("location", has: "//elsewhere")),
        FieldRow("/spec/http/0/redirect/scheme", redirect, .answered("location", has: "https://")),
        FieldRow("/spec/http/0/redirect/port", redirect, .answered("location", has: ":8443")),
        FieldRow("/spec/http/0/redirect/redirectCode", redirect, .status(307)),
        FieldRow("/spec/http/0/directResponse/status", short, against: 200, .status(418)),
        FieldRow("/spec/http/0/directResponse/body/string", short, against: "long", .body("short")),
    ]

    private static let short = rules(["directResponse": ["status": 418, "body": ["string": "short"]]])
    private static let redirect = rules([
        "redirect": ["uri": "/new", "authority": "elsewhere", "scheme": "https", "port": 8443, "redirectCode": 307]
    ])

    // MARK: Time and tries

    private static let policies = [
        FieldRow(
            "/spec/http/0/timeout", rules(["timeout": "0.3s", "route": to("v1")]),
            asks: [Ask("/", ["x-lab-wait": "1500"])], .status(504)),
        // Of gRPC, calls without a deadline of their own.
        FieldRow(
            "/spec/http/0/timeout", rules(["timeout": "0.3s", "route": to("v1")]),
            asks: [Ask("/", ["x-lab-wait": "1500", "content-type": "application/grpc"], method: "POST")],
            .answered("grpc-message", "upstream request timeout")),
        FieldRow(
            "/spec/http/0/retries/attempts",
            rules(["retries": ["attempts": 3, "retryOn": "503"], "route": to("v1")]),
            asks: [Ask("/", ["x-lab-status": "503", "x-lab-until": "4"])], .status(200)),
        FieldRow(
            "/spec/http/0/retries/perTryTimeout",
            rules(["retries": ["attempts": 1, "perTryTimeout": "0.3s", "retryOn": "5xx"], "route": to("v1")]),
            asks: [Ask("/", ["x-lab-wait": "1500"])], .status(504)),
        FieldRow(
            "/spec/http/0/retries/perTryTimeout",
            rules(["retries": ["attempts": 0, "perTryTimeout": "0.3s"], "route": to("v1")]),
            asks: [Ask("/", ["x-lab-wait": "1500"])], .status(504)),
        FieldRow(
            "/spec/http/0/retries/retryOn", rules(["retries": ["attempts": 1, "retryOn": "418"], "route": to("v1")]),
            asks: [Ask("/", ["x-lab-status": "418", "x-lab-until": "2"])], .status(200)),
    ]

    // MARK: Errors on purpose

    private static let faults = [
        FieldRow(
            "/spec/http/0/fault/delay/fixedDelay",
            rules(["fault": ["delay": ["fixedDelay": "3s"]], "route": to("v1")]),
            against: "1ms", .lasts(atLeast: .seconds(2))),
        FieldRow(
            "/spec/http/0/fault/delay/percentage/value", delayed(["percentage": ["value": 0]]), against: 100,
            .answered("x-flags", "-")),
        FieldRow("/spec/http/0/fault/delay/percent", delayed(["percent": 0]), .answered("x-flags", "-")),
        FieldRow("/spec/http/0/fault/abort/httpStatus", aborted([:]), against: 503, .status(418)),
        FieldRow(
            "/spec/http/0/fault/abort/percentage/value", aborted(["percentage": ["value": 0]]), against: 100,
            .status(200)),
        FieldRow("/spec/http/0/fault/abort/percent", aborted(["percent": 0]), .status(200)),
    ]

    private static func delayed(_ part: [String: JSONValue]) -> JSONValue {
        rules([
            "fault": ["delay": .object(part.merging(["fixedDelay": "10ms"]) { $1 })], "route": to("v1"),
            // Envoy's flag for a request that was delayed on purpose is DI.
            "headers": ["response": ["set": ["x-flags": "%RESPONSE_FLAGS%"]]],
        ])
    }

    private static func aborted(_ part: [String: JSONValue]) -> JSONValue {
        rules(["fault": ["abort": .object(part.merging(["httpStatus": 418]) { $1 })], "route": to("v1")])
    }

    // MARK: Copies

    private static let mirrors = [
        FieldRow(
            "/spec/http/0/mirror/host", mirrored(["host": "shared"]), against: "$host", .copies(at: "shared", 1...1000)
        ),
        FieldRow(
            "/spec/http/0/mirror/name", mirrored(["name": "shared"]), against: "$host", .copies(at: "shared", 1...1000)
        ),
        FieldRow(
            "/spec/http/0/mirror/subset", mirrored(["host": "$host", "subset": "v3"]), asks: [Ask(times: 30)],
            .copies(at: "v2", 0...0)),
        FieldRow(
            "/spec/http/0/mirror/port/number",
            mirrored(["host": "$host", "subset": "v2", "port": ["number": 9081]]), against: 9080, in: .twoPorts,
            .copies(at: "alt-v2", 1...1000)),
        FieldRow(
            "/spec/http/0/mirrorPercentage/value",
            mirrored(["host": "$host", "subset": "v2"], ["mirrorPercentage": ["value": 0]]), against: 100,
            .copies(at: "v2", 0...0)),
        FieldRow(
            "/spec/http/0/mirrorPercent", mirrored(["host": "$host", "subset": "v2"], ["mirrorPercent": 0]),
            .copies(at: "v2", 0...0)),
    ]

    private static func mirrored(_ mirror: JSONValue, _ more: [String: JSONValue] = [:]) -> JSONValue {
        rules(["mirror": mirror, "route": to("v1")].merging(more) { $1 })
    }
}
