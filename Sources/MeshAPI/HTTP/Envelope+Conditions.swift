internal import Documents
internal import MeshCore
internal import MeshModel
internal import MeshStore

extension ObjectRefusal {
    /// The condition that an object has because proxies refuse it.
    var condition: JSONValue {
        let place = (example.pointer ?? "").isEmpty ? "" : " \(example.pointer ?? "")"
        let verb = proxies == 1 ? "rejects" : "reject"
        return [
            "type": "Accepted", "status": "False", "reason": "ProxyRejected",
            "message": .string("\(proxies) of \(connected) proxies \(verb)\(place): \(example.message)"),
            "lastTransitionTime": .string(since.text),
        ]
    }
}

extension StoredObject {
    /// The conditions that are stored, and `Accepted`: that the object is valid, which it is since it was written, that all of it is in force,
    /// and that no connected proxy refuses what was made of it. What was found out besides comes after it, a condition a type.
    func conditions(_ refusal: ObjectRefusal?) -> JSONValue {
        let stored = (status["conditions"]?.arrayValue ?? []).filter { $0["type"] != "Accepted" }
        let types = Dictionary(grouping: conditions ?? [], by: \.type)
        let accepted = types[ObjectCondition.accepted].map { $0.condition(since: updateTime) }
        let valid: JSONValue = [
            "type": "Accepted", "status": "True", "reason": "Valid", "message": "",
            "lastTransitionTime": .string(updateTime.text),
        ]
        let others = types.filter { $0.key != ObjectCondition.accepted }.sorted { $0.key < $1.key }
        // Of what is refused and not in force as well, the part that is in the document's own hands is told.
        return .array(
            stored + [accepted ?? refusal?.condition ?? valid] + others.map { $0.value.condition(since: updateTime) })
    }
}

extension [ObjectCondition] {
    /// Several findings of one type as one condition, which is that of the first one and lists all if there are more.
    fileprivate func condition(since time: Timestamp) -> JSONValue {
        guard let first else { return .null }
        let more = count > 1 ? " (and \(count - 1) more)" : ""
        return .fields([
            "type": .string(first.type), "status": first.isTrue ? "True" : "False", "reason": .string(first.reason),
            "message": .string(first.message + more), "pointer": first.pointerJSON, "object": first.other,
            "lastTransitionTime": .string((compactMap(\.since).min() ?? time).text),
            "findings": count > 1 ? .array(map(\.finding)) : nil,
        ])
    }
}

extension ObjectCondition {
    fileprivate var pointerJSON: JSONValue? { pointer.isEmpty ? nil : .string(pointer) }

    fileprivate var finding: JSONValue {
        .fields([
            "reason": .string(reason), "message": .string(message), "pointer": pointerJSON, "object": other,
            "subject": subject.isEmpty ? nil : .string(subject),
        ])
    }
}
