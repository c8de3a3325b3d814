package import Documents

extension Shape where Value == Name {
    /// A DNS label.
    package static var name: Shape {
        Shape<String>.text.converted(
            to: { text, place, log in
                guard let name = Name(text) else {
                    log.report(place.pointer, .invalidFormat, Name.rule)
                    return nil
                }
                return name
            }, from: \.text
        ).described(by: .named("Name"))
    }
}

extension Shape where Value == Int {
    /// A TCP port.
    package static var port: Shape { integer(1...65_535).described(by: .named("Port")) }
}

extension Shape where Value == [Name: Int] {
    /// Port numbers by the names of a service's ports.
    package static var namedPorts: Shape {
        map(
            of: .port, note: "Port numbers by the names of the service's ports.",
            key: { text, place, log in
                let name = Name(text)
                if name == nil { log.report(place.pointer, .invalidFormat, "the port's name \(Name.rule)") }
                return name
            }, name: \.text)
    }
}

extension Shape where Value == Timestamp {
    /// A time as of RFC 3339.
    package static var timestamp: Shape {
        Shape<String>.string().converted(
            to: { text, place, log in
                let time = Timestamp(text: text)
                if time == nil {
                    log.report(
                        place.pointer, .invalidFormat,
                        "must be a time as of RFC 3339 such as \"2026-11-24T02:00:00+08:00\"")
                }
                return time
            }, from: \.text
        ).described(by: .named("Timestamp"))
    }
}

extension Shape where Value == TrafficShare {
    /// Basis points.
    package static var share: Shape {
        Shape<Int>.integer(0...10_000).converted(
            to: { points, _, _ in TrafficShare(basisPoints: Int64(points)) }, from: { Int($0.basisPoints) }
        ).described(by: .named("Share"))
    }
}
