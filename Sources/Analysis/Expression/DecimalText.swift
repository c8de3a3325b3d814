/// Numbers as texts for people.
enum DecimalText {
    /// At most six significant digits, without a fraction where there is none: `0.71`, `250`, `1e+20`.
    static func short(_ number: Double) -> String {
        guard number.isFinite, number != 0 else { return trimmed(number) }
        var scale = 1.0
        let magnitude = number.magnitude
        guard magnitude < 1e15, magnitude > 1e-15 else { return trimmed(number) }
        while magnitude * scale < 100_000 { scale *= 10 }
        return trimmed((number * scale).rounded() / scale)
    }

    /// Two numbers and their relation, with as many digits as it takes to tell them apart.
    static func comparison(_ a: Double, _ relation: String, _ b: Double) -> String {
        let (left, right) = (short(a), short(b))
        return left == right && a != b
            ? "\(trimmed(a)) \(relation) \(trimmed(b))" : "\(left) \(relation) \(right)"
    }

    /// Two digits: a share in percent.
    static func percent(_ share: Double) -> String { short((share * 1000).rounded() / 10) + " %" }

    private static func trimmed(_ number: Double) -> String {
        let text = "\(number)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
