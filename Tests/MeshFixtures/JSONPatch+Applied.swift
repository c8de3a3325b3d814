package import Documents

extension JSONPatch {
    package struct Inapplicable: Error {
        package let operation: Operation
    }

    /// The document after all operations, which must find what they name.
    package func applied(to document: JSONValue) throws -> JSONValue {
        try operations.reduce(document) { document, operation in
            let (place, change): (JSONPointer, JSONValue.Change) =
                switch operation {
                case .add(let place, let value): (place, .add(value))
                case .replace(let place, let value): (place, .replace(value))
                case .remove(let place): (place, .remove)
                }
            guard let changed = document.changed(at: place.tokens[...], change) else {
                throw Inapplicable(operation: operation)
            }
            return changed
        }
    }
}

extension JSONValue {
    fileprivate enum Change {
        case add(JSONValue), replace(JSONValue), remove
    }

    /// - Returns: `nil` if there is nothing to change.
    fileprivate func changed(at tokens: ArraySlice<String>, _ change: Change) -> JSONValue? {
        guard let token = tokens.first else {
            if case .replace(let value) = change { return value }
            return nil
        }
        let (rest, isLast) = (tokens.dropFirst(), tokens.count == 1)
        switch self {
        case .object(var members):
            switch change {
            case .add(let value) where isLast:
                guard members[token] == nil else { return nil }
                members[token] = value
            case .remove where isLast: guard members.removeValue(forKey: token) != nil else { return nil }
            default:
                guard let changed = members[token]?.changed(at: rest, change) else { return nil }
                members[token] = changed
            }
            return .object(members)
        case .array(var elements):
            guard let index = Int(token), index >= 0, index <= elements.count else { return nil }
            if case .add(let value) = change, isLast {
                elements.insert(value, at: index)
                return .array(elements)
            }
            guard index < elements.count else { return nil }
            if case .remove = change, isLast {
                elements.remove(at: index)
            } else {
                guard let changed = elements[index].changed(at: rest, change) else { return nil }
                elements[index] = changed
            }
            return .array(elements)
        default: return nil
        }
    }
}
