internal import Analysis
package import Documents

/// The templates of an analysis, by name, and the arguments that they get.
package struct AnalysisUse: Document {
    /// Names of templates in the release's namespace, or of the server's own, such as ``BuiltinTemplates/standard``; at least one,
    /// at most 10, each once.
    package var templates = [BuiltinTemplates.standard]
    /// Values of the templates' arguments; at most 32.
    package var args: [String: String] = [:]

    package init() {}

    package init(templates: [String], args: [String: String] = [:]) {
        self.templates = templates
        self.args = args
    }

    package static let fields: [Field<Self>] = [
        .defaulted(
            "templates", \.templates, .list(of: name, 1...10, .ofElements("is given twice")),
            "Analysis templates of the namespace, or of the server (builtin/http-golden, builtin/http-compare)."),
        .defaulted(
            "args", \.args, arguments, isWritten: false,
            "Values of their arguments; one that no template has is refused at the start."),
    ]

    private static let name = Shape<String>.string(atMost: 80).examples("builtin/http-golden", "latency").checked {
        text, place, log in
        let own = text.hasPrefix("builtin/") ? text.dropFirst("builtin/".count) : text[...]
        guard own.isEmpty || own.contains("/") else { return }
        log.report(place.pointer, .invalidFormat, "must be the name of a template, or builtin/ and a name")
    }

    private static let arguments = Shape<[String: String]>.strings.checked { values, place, log in
        guard values.count > 32 || values.contains(where: { $0.value.utf8.count > 512 }) else { return }
        log.report(place.pointer, .tooMany, "must have at most 32 values of at most 512 bytes")
    }
}

/// An analysis beside the steps.
package struct BackgroundAnalysis: Document {
    package var use = AnalysisUse()
    /// The step at which it begins, by its name or number. `nil`: the first.
    package var startingStep: StartingStep?

    package enum StartingStep: Hashable, Sendable {
        case index(Int)
        case name(String)
    }

    package init() {}

    package init(_ use: AnalysisUse, startingStep: StartingStep? = nil) {
        self.use = use
        self.startingStep = startingStep
    }

    package static let fields: [Field<Self>] = [
        .inlined(\.use),
        .optional(
            "startingStep", \.startingStep, step,
            "The number of the step, from 0, or its name, at which it begins. Left out: the first."),
    ]

    private static let step = Shape<StartingStep>(
        schema: .value(["type": ["integer", "string"]]),
        read: { json, place, log in
            switch json {
            case .integer(let number) where (0...99).contains(number): return .index(Int(number))
            case .string(let name) where (1...100).contains(name.utf8.count): return .name(name)
            default:
                log.report(place.pointer, .wrongType, "must be the number of a step, from 0 to 99, or its name")
                return nil
            }
        },
        write: { step in
            switch step {
            case .index(let number): .integer(Int64(number))
            case .name(let name): .string(name)
            }
        })

    /// The step at which it begins; `nil`: no step is called so.
    package func start(in steps: [ReleaseStep]) -> Int? {
        switch startingStep {
        case nil: 0
        case .index(let index): index < steps.count ? index : nil
        case .name(let name): steps.firstIndex { $0.name == name }
        }
    }
}
