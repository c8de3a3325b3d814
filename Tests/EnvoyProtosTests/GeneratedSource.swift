import Foundation

/// The generated Swift and the manifest, read as text and brought to one form, so that they can be compared.
enum GeneratedSource {
    /// A field as both sides state it: `envoy.config.core.v3.Locality.subzone = 3 SingularString`.
    typealias Field = String

    /// The repository, found from this file's place in it.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let target = root.appending(path: "Sources/EnvoyProtos").resolvingSymlinksInPath()
    static let generator = target.appending(path: "Generator/generate.py")

    /// The fields that the decoders of the generated messages accept.
    static func fields() throws -> Set<Field> {
        let folder = target.appending(path: "Generated")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return try files.reduce(into: []) {
            $0.formUnion(Decoders.fields(in: try String(contentsOf: $1, encoding: .utf8)))
        }
    }

    /// The fields that the manifest lists.
    static func manifestFields() throws -> Set<Field> {
        let text = try String(contentsOf: target.appending(path: "Generator/manifest.txt"), encoding: .utf8)
        let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
        let messages = Set(lines.filter { $0.first == "message" }.map { $0[1] })
        return Set(
            lines.compactMap { words in
                // `some.Message.field = 3 optional string`; an enum's value ends after the number.
                guard words.count >= 5, words[1] == "=", let dot = words[0].lastIndex(of: ".") else { return nil }
                let name = words[0][...dot] + folded(words[0][words[0].index(after: dot)...])
                return "\(name) = \(words[2]) \(decoder(label: words[3], type: words[4], messages: messages))"
            })
    }

    /// What SwiftProtobuf's generator calls the decoding of such a field.
    private static func decoder(label: Substring, type: Substring, messages: Set<Substring>) -> String {
        let prefix = ["optional": "Singular", "repeated": "Repeated"][label]
        guard let prefix else { return "Map" }
        if messages.contains(type) || type.hasPrefix("google.protobuf.") { return prefix + "Message" }
        if type.contains(".") { return prefix + "Enum" }
        return prefix + type.capitalized.replacing("Uint", with: "UInt").replacing("Sfixed", with: "SFixed")
    }

    /// A name without what differs between protobuf and Swift: `dns_refresh_rate` and `dnsRefreshRate` are one, and so
    /// are `self` and `self_p`, because Swift has the word for itself.
    static func folded(_ name: some StringProtocol) -> String {
        name == "self_p" ? "self" : name.lowercased().filter { $0.isLetter || $0.isNumber }
    }
}

/// Reads `decodeMessage(decoder:)` of each message in one generated file, line by line.
private struct Decoders {
    private var package = ""
    private var swiftName = ""
    private var message = ""
    private var fullNames: [String: String] = [:]
    private var number = ""
    private var kind = ""
    private var fields: Set<GeneratedSource.Field> = []

    static func fields(in source: String) -> Set<GeneratedSource.Field> {
        var decoders = Self()
        for line in source.split(separator: "\n") { decoders.read(line.drop { $0 == " " }) }
        return decoders.fields
    }

    private mutating func read(_ line: Substring) {
        if line.contains("let _protobuf_package = ") {
            package = text(in: line, from: "\"", to: "\"")
        } else if line.hasPrefix("nonisolated extension ") {
            swiftName = text(in: line, from: "extension ", to: ":")
        } else if line.hasPrefix("package static let protoMessageName") {
            let outer = text(in: line, from: "= ", to: " + ").replacing(".protoMessageName", with: "")
            message = (fullNames[outer] ?? package) + text(in: line, from: "\"", to: "\"")
            fullNames[swiftName] = message
        } else if line.hasPrefix("case ") && line.contains(": try {") {
            number = text(in: line, from: "case ", to: ":")
        }
        if line.contains("decoder.decode") {
            kind = text(in: line, from: "decoder.decode", to: "Field(")
            let property = text(in: line, from: "value: &", to: ")")
            if property != "v" { add(property.split(separator: ".").last ?? "") }
        } else if line.hasSuffix("(v)") {
            // A case of a oneof is decoded into `v` and then wrapped.
            add(text(in: line, from: "= .", to: "(v)"))
        }
    }

    private mutating func add(_ name: some StringProtocol) {
        fields.insert("\(message).\(GeneratedSource.folded(name)) = \(number) \(kind)")
    }

    private func text(in line: Substring, from start: String, to end: String) -> String {
        guard let opening = line.firstRange(of: start) else { return "" }
        let rest = line[opening.upperBound...]
        return String(rest[..<(rest.firstRange(of: end)?.lowerBound ?? rest.endIndex)])
    }
}
