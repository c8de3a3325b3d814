/// How a value stands in documents: how it is read, with everything that may be wrong with it, how it is written, and what JSON
/// Schema says about it. The limits are given once and hold for all three.
///
/// Shapes are values and not conformances of the types that they are for, because one type has many: a port and a percentage are
/// integers with other limits.
package struct Shape<Value: Sendable>: Sendable {
    package let schema: Schema
    /// Reports what is wrong, and returns `nil` where that leaves no value. A value may be returned even though something was
    /// reported, so that the next mistakes are found as well.
    package let read: @Sendable (JSONValue, Place, ViolationLog) -> Value?
    /// `nil`: the value goes without saying and is left out.
    package let write: @Sendable (Value) -> JSONValue?

    package init(
        schema: Schema, read: @escaping @Sendable (JSONValue, Place, ViolationLog) -> Value?,
        write: @escaping @Sendable (Value) -> JSONValue?
    ) {
        self.schema = schema
        self.read = read
        self.write = write
    }

    /// The shape with one more law.
    ///
    /// - Parameter check: reports what is wrong with a value that has been read.
    package func checked(_ check: @escaping @Sendable (Value, Place, ViolationLog) -> Void) -> Shape {
        let read = read
        return Shape(
            schema: schema,
            read: { json, place, log in
                guard let value = read(json, place, log) else { return nil }
                check(value, place, log)
                return value
            }, write: write)
    }

    /// The shape of a type that is written like this one.
    ///
    /// - Parameter make: reports why there is no such value, and returns `nil` then.
    package func converted<Other: Sendable>(
        to make: @escaping @Sendable (Value, Place, ViolationLog) -> Other?,
        from back: @escaping @Sendable (Other) -> Value
    ) -> Shape<Other> {
        let (read, write) = (read, write)
        return Shape<Other>(
            schema: schema, read: { json, place, log in read(json, place, log).flatMap { make($0, place, log) } },
            write: { write(back($0)) })
    }

    /// The shape with values that show what is meant.
    package func examples(_ examples: JSONValue...) -> Shape { described(by: schema.examples(examples)) }

    /// The shape with another schema, where somebody has written one.
    package func described(by schema: Schema) -> Shape { Shape(schema: schema, read: read, write: write) }
}

extension ViolationLog {
    /// Reports that a value is of another type.
    ///
    /// - Parameter expected: such as `a string`.
    func mismatch<T>(_ place: Place, _ expected: String, _ value: JSONValue) -> T? {
        report(place.pointer, .wrongType, "must be \(expected), not \(value.typeName)")
        return nil
    }
}
