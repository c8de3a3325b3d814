/// The members of an object while its fields are read.
package struct Members {
    package let pointer: JSONPointer
    package let log: ViolationLog
    /// The violations so far, and an estimate of the instructions of the regexes that were read, before it.
    private let (countBefore, regexSizeBefore): (Int, Int)
    private let values: [String: JSONValue]
    /// How many of ``values`` somebody has asked for.
    private var takenCount = 0
    /// Names of what is there and has no value, and today's names of what is there under an early one and has a value.
    private var failed: [String] = []
    private var early: [String] = []

    /// The members of what is no object: none.
    init(at place: Place, log: ViolationLog) {
        pointer = place.pointer
        self.log = log
        values = [:]
        (countBefore, regexSizeBefore) = (log.count, log.regexSize)
    }

    /// - Returns: `nil` if it is no object, which is reported.
    init?(_ value: JSONValue, at place: Place, log: ViolationLog) {
        guard case .object(let values) = value else {
            log.report(place.pointer, .wrongType, "must be an object, not \(value.typeName)")
            return nil
        }
        pointer = place.pointer
        self.log = log
        self.values = values
        (countBefore, regexSizeBefore) = (log.count, log.regexSize)
    }

    /// An estimate of the instructions of its regexes that were read so far.
    package var regexSize: Int { log.regexSize - regexSizeBefore }

    /// Whether something was reported of it.
    package var isWrong: Bool { log.count > countBefore }

    /// Whether the member is present and not `null`, which counts as absent, as in the Kubernetes API.
    package func has(_ name: String) -> Bool {
        switch values[name] {
        case nil, .null: false
        default: true
        }
    }

    /// Whether the member is present, under an early name perhaps, and has a value.
    package func isRead(_ name: String) -> Bool { early.contains(name) || (has(name) && !failed.contains(name)) }

    package func place(_ name: String) -> Place { Place(name, in: pointer) }

    package func report(_ name: String, _ code: Violation.Code, _ detail: String, choices: [String] = []) {
        log.report(pointer.appending(name), code, detail, choices: choices)
    }

    /// The member as it stands; each name is asked for once.
    mutating func take(_ name: String) -> JSONValue? {
        guard let value = values[name] else { return nil }
        takenCount += 1
        if case .null = value { return nil }
        return value
    }

    mutating func read<Value: Sendable>(_ name: String, _ shape: Shape<Value>) -> Value? {
        guard let json = take(name) else { return nil }
        let value = shape.read(json, place(name), log)
        if value == nil { failed.append(name) }
        return value
    }

    /// Reads a member, as ``read(_:_:)`` does, by an early spelling of a member.
    mutating func read<Value: Sendable>(_ name: String, earlyFor today: String, _ shape: Shape<Value>) -> Value? {
        let value = read(name, shape)
        if value != nil { early.append(today) }
        return value
    }

    /// Reports a member that is not carried out here.
    mutating func refuse(_ name: String, _ why: String) {
        guard take(name) != nil else { return }
        report(name, .unsupported, "is not supported: \(why); leave it out")
    }

    /// Reads a document of these members.
    ///
    /// - Parameter fields: reads all fields; returns whether the required ones are there.
    mutating func read<Value: Document>(_ fields: (inout Members, inout Value) -> Bool) -> Value? {
        var value = Value()
        let isWhole = fields(&self, &value)
        finish { Value.fields.flatMap(\.members).map(\.name) }
        value.finish(self)
        return isWhole ? value : nil
    }

    /// Reports every member that nobody asked for.
    ///
    /// - Parameter known: the names of all that could be asked for.
    func finish(_ known: () -> [String]) {
        guard takenCount < values.count else { return }
        let choices = Set(known()).sorted()
        for name in values.keys.sorted() where !choices.contains(name) {
            log.reportUnknown(
                Violation(pointer.appending(name), .unknownField, "is not a known field", choices: choices))
        }
    }
}
