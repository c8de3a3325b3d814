import Documents
import MeshCore

/// One step of a release's plan.
package struct ReleaseStep: Hashable, Sendable {
    package enum Action: Hashable, Sendable {
        /// The canary's share of the requests that no match decides.
        case setWeight(TrafficShare)
        /// Requests that fit any of these go to the canary; stays in force until changed. Empty: no longer.
        case setMatch([ContentMatch])
        /// Copies of requests go to the canary; stays in force until changed. `nil`: no longer.
        case setMirror(ReleaseTraffic.Mirror?)
        /// Waits for that long, or without a duration for `resume` or `promote`.
        case pause(Duration?)
    }

    /// For people; at most 100 bytes.
    package var name: String?
    package var action: Action
    /// How long the step must have been in force before the next one, not counting pauses. `0s...168h`, default 0.
    package var bakeTime: Duration

    package static let maxDuration = Duration.seconds(7 * 86_400)

    package init(_ action: Action, bakeTime: Duration = .zero, name: String? = nil) {
        self.action = action
        self.bakeTime = bakeTime
        self.name = name
    }

    package init?(reading fields: inout FieldReader) {
        name = fields.string("name", maxLength: 100)
        let given = fields.names.filter { fields.has($0) && (Self.actions.contains($0) || Self.later.contains($0)) }
        if given.count > 1 {
            fields.log.report(
                fields.pointer, .conflict, "must have exactly one action, not \(given.joined(separator: " and "))")
        }
        if given.isEmpty {
            fields.log.report(
                fields.pointer, .required, "must have one of \(Self.actions.joined(separator: ", "))",
                choices: Self.actions)
        }
        for field in Self.later { fields.refuse(field, "\(field) steps are not supported") }
        let action = Self.action(&fields)
        let bakeTime = fields.duration("bakeTime", in: .zero...Self.maxDuration)
        if bakeTime != nil, case .pause = action {
            fields.log.report(
                fields.pointer.appending("bakeTime"), .conflict, "a pause has a duration, not a bakeTime")
        }
        self.bakeTime = bakeTime ?? .zero
        fields.finish()
        guard given.count == 1, let action else { return nil }
        self.action = action
    }

    private static let actions = ["pause", "setMatch", "setMirror", "setWeight"]
    private static let later = ["analysis", "approval", "webhook"]

    private static func action(_ fields: inout FieldReader) -> Action? {
        var action: Action?
        if let points = fields.integer("setWeight", in: 0...10_000) {
            action = TrafficShare(basisPoints: points).map(Action.setWeight)
        }
        if var nested = fields.object("setMatch") { action = matches(&nested).map(Action.setMatch) }
        if var nested = fields.object("setMirror") { action = mirror(&nested) }
        if var nested = fields.object("pause") {
            action = .pause(nested.duration("duration", in: .seconds(1)...maxDuration))
            nested.finish()
        }
        return action
    }

    /// Reads `{"any": […]}`.
    static func matches(_ fields: inout FieldReader) -> [ContentMatch]? {
        guard fields.has("any") else {
            fields.require("any")
            fields.finish()
            return nil
        }
        let matches = fields.objects("any", atMost: 32).compactMap { item in
            var item = item
            return ContentMatch(reading: &item)
        }
        fields.finish()
        return matches
    }

    private static func mirror(_ fields: inout FieldReader) -> Action? {
        let percentage = fields.number("percentage", in: 0...100)
        if !fields.has("percentage") { fields.require("percentage") }
        var methods: [String] = []
        for element in fields.elements("methods", atMost: 16) {
            guard let method = element.value.stringValue else {
                fields.log.report(element.pointer, .wrongType, "must be a string, not \(element.value.typeName)")
                continue
            }
            if method != "*" && !isMethod(method) {
                fields.log.report(
                    element.pointer, .invalidFormat, "must be an HTTP method in capitals, or * for all of them")
            }
            if methods.contains(method) { fields.log.report(element.pointer, .duplicate, "is given twice") }
            methods.append(method)
        }
        if methods.contains("*") && methods.count > 1 {
            fields.log.report(fields.pointer.appending("methods"), .conflict, "must have nothing besides *")
        }
        fields.finish()
        guard let percentage, let share = TrafficShare(basisPoints: Int64((percentage * 100).rounded())) else {
            return nil
        }
        guard share > .none else { return .setMirror(nil) }
        // Only safe methods unless asked otherwise: a copied POST would be carried out twice.
        let chosen = methods.isEmpty ? ["GET", "HEAD"] : methods == ["*"] ? [] : methods
        return .setMirror(ReleaseTraffic.Mirror(share: share, methods: chosen))
    }

    private static func isMethod(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count) && text.utf8.allSatisfy { (65...90).contains($0) || $0 == 45 || $0 == 95 }
    }

    /// The action's name in documents.
    package var kind: String {
        switch action {
        case .setWeight: "setWeight"
        case .setMatch: "setMatch"
        case .setMirror: "setMirror"
        case .pause: "pause"
        }
    }

    package var json: JSONValue {
        .fields([
            "name": name.map(JSONValue.string),
            kind: actionJSON,
            "bakeTime": bakeTime > .zero ? .string(bakeTime.text) : nil,
        ])
    }

    private var actionJSON: JSONValue {
        switch action {
        case .setWeight(let share): .integer(Int64(share.basisPoints))
        case .setMatch(let matches): ["any": .array(matches.map(\.json))]
        case .setMirror(let mirror): Self.json(mirror)
        case .pause(let duration): .fields(["duration": duration.map { .string($0.text) }])
        }
    }

    /// A mirror as a step writes it.
    static func json(_ mirror: ReleaseTraffic.Mirror?) -> JSONValue {
        guard let mirror else { return ["percentage": 0] }
        let methods = mirror.methods.isEmpty ? ["*"] : mirror.methods
        return [
            "percentage": .hundredths(Int(mirror.share.basisPoints)), "methods": .array(methods.map(JSONValue.string)),
        ]
    }
}
