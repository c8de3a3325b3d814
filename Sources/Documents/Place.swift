/// The place of a value in a document. A pointer is made of it only where something is reported or nested, because that
/// takes longer than reading most values.
package struct Place: Sendable {
    private enum Step: Sendable {
        case here
        case member(String)
        case element(Int)
    }

    private let parent: JSONPointer
    private let step: Step

    package init(_ pointer: JSONPointer) {
        parent = pointer
        step = .here
    }

    package init(_ name: String, in parent: JSONPointer) {
        self.parent = parent
        step = .member(name)
    }

    package init(_ index: Int, in parent: JSONPointer) {
        self.parent = parent
        step = .element(index)
    }

    package var pointer: JSONPointer {
        switch step {
        case .here: parent
        case .member(let name): parent.appending(name)
        case .element(let index): parent.appending(index)
        }
    }
}
