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
    /// What is stored, and `Accepted`: that the object is valid, which it is since it was written, and that no connected
    /// proxy refuses what was made of it.
    func conditions(_ refusal: ObjectRefusal?) -> JSONValue {
        let stored = (status["conditions"]?.arrayValue ?? []).filter { $0["type"] != "Accepted" }
        let valid: JSONValue = [
            "type": "Accepted", "status": "True", "reason": "Valid", "message": "",
            "lastTransitionTime": .string(updateTime.text),
        ]
        return .array(stored + [refusal?.condition ?? valid])
    }
}
