import Documents
import Foundation
import TestSupport
import Testing

@Suite("Named defaults stand in goldens for what most resources have in common")
struct NamedDefaultsTests {
    private static let blocks = """
        cluster:
          outbound: {type: EDS, timeout: 10s, service: $name, limits: {thresholds: [{defaults: none}], panic: {}}}
          resolved: {defaults: outbound, type: DNS, service: null}
        thresholds:
          none: {connections: 999, requests: 999}
          few: {connections: 1, requests: 1}
        panic:
          early: {percent: 90, of: endpoints}
        """

    private static func defaults() throws -> NamedDefaults { try NamedDefaults(value(blocks)) }

    private static func value(_ yaml: String) throws -> JSONValue { try GoldenYAML.value(Data(yaml.utf8)) }

    @Test(
        "that say the rest alone",
        arguments: [
            // As the block, and with one more, one other, one missing.
            (
                "{name: a, type: EDS, timeout: 10s, service: a, limits: {thresholds: [{connections: 999, requests: 999}], panic: {}}}",
                "{name: a, defaults: outbound}"
            ),
            (
                "{name: a, type: EDS, timeout: 10s, service: a, limits: {thresholds: [{connections: 999, requests: 999}], panic: {}}, x: 1}",
                "{name: a, defaults: outbound, x: 1}"
            ),
            (
                "{name: a, type: EDS, timeout: 1s, service: a, limits: {thresholds: [{connections: 999, requests: 999}], panic: {}}}",
                "{name: a, defaults: outbound, timeout: 1s}"
            ),
            (
                "{name: a, type: EDS, service: a, limits: {thresholds: [{connections: 999, requests: 999}], panic: {}}}",
                "{name: a, defaults: outbound, timeout: null}"
            ),
            // A member that the block takes from the object.
            (
                "{name: a, type: EDS, timeout: 10s, service: b, limits: {thresholds: [{connections: 999, requests: 999}], panic: {}}}",
                "{name: a, defaults: outbound, service: b}"
            ),
            // An object in it.
            (
                "{name: a, type: EDS, timeout: 10s, service: a, limits: {thresholds: [{connections: 999, requests: 999}], panic: {x: 1}}}",
                "{name: a, defaults: outbound, limits: {panic: {x: 1}}}"
            ),
            (
                "{name: a, type: EDS, timeout: 10s, service: a, limits: {thresholds: [{connections: 999, requests: 999}]}}",
                "{name: a, defaults: outbound, limits: {panic: null}}"
            ),
            (
                "{name: a, type: EDS, timeout: 10s, service: a, limits: {thresholds: [{connections: 999, requests: 999}], panic: {percent: 90, of: endpoints}}}",
                "{name: a, defaults: outbound, limits: {panic: {defaults: early}}}"
            ),
            // A list, whose elements have blocks of their own.
            (
                "{name: a, type: EDS, timeout: 10s, service: a, limits: {thresholds: [{connections: 1, requests: 1}, {connections: 999, requests: 2}], panic: {}}}",
                "{name: a, defaults: outbound, limits: {thresholds: [{defaults: few}, {defaults: none, requests: 2}]}}"
            ),
            // A block that is another one with changes.
            (
                "{name: a, type: DNS, timeout: 10s, limits: {thresholds: [{connections: 999, requests: 999}], panic: {}}}",
                "{name: a, defaults: resolved}"
            ),
            // Nothing that a block would make shorter, and another field.
            ("{name: a, type: EDS}", "{name: a, type: EDS}"), ("{name: a, timeout: 10s}", "{name: a, timeout: 10s}"),
            (
                "{name: a, other: [{connections: 999, requests: 999}]}",
                "{name: a, other: [{connections: 999, requests: 999}]}"
            ),
        ])
    func abbreviates(_ whole: String, _ short: String) throws {
        let (defaults, whole, short) = (try Self.defaults(), try Self.value(whole), try Self.value(short))
        #expect(defaults.abbreviated(whole, in: "cluster") == short)
        #expect(try defaults.expanded(short, in: "cluster") == whole)
    }

    @Test("that exist in the field")
    func unknown() throws {
        let defaults = try Self.defaults()
        #expect(throws: NamedDefaults.Unknown(name: .init(field: "cluster", name: "none"))) {
            try defaults.expanded(Self.value("{defaults: none}"), in: "cluster")
        }
    }

    @Test("and hide nothing, whatever there is")
    func losesNothing() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<2000 {
            let blocks = Self.object { Self.object { Self.object(depth: 3, &generator) } }
            let defaults = try NamedDefaults(blocks)
            let value = Self.object(depth: 3, &generator)
            let written = try GoldenYAML.data(defaults.abbreviated(value, in: "a"))
            try #require(defaults.expanded(GoldenYAML.value(written), in: "a") == value, "\(blocks)")
        }
    }

    private static func object(_ member: () -> JSONValue?) -> JSONValue {
        let members = ["a", "b", "c"].compactMap { name in member().map { (name, $0) } }
        return .object(Dictionary(uniqueKeysWithValues: members))
    }

    /// Few names and values, so that objects and blocks have much in common.
    private static func object(depth: Int, _ generator: inout SeededGenerator) -> JSONValue {
        object { generator.chance(75) ? Optional.some(value(depth: depth - 1, &generator)) : .none }
    }

    /// What YAML might take for something else.
    private static let texts = [
        "true", "1", "null", "~", "0x1", "1e3", "10s", "$a", "a: b", "", "- x", "2020-01-01", "a\nb",
    ]

    private static func value(depth: Int, _ generator: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &generator) {
        case 0: .integer(1)
        case 1: .string(texts[Int.random(in: texts.indices, using: &generator)])
        case 2: .bool(true)
        case 3: "$b"
        case 4: .object([:])
        case 5: .array((0..<Int.random(in: 0..<3, using: &generator)).map { _ in value(depth: depth - 1, &generator) })
        default: object(depth: depth, &generator)
        }
    }
}
