extension RE2 {
    /// One piece of a pattern as it is written.
    struct Token: Sendable {
        enum Kind: Sendable {
            /// Characters and assertions; a quotation has several.
            case code([Instruction])
            case open, close, bar, repetition
            /// Flags that hold from here on: `(?i)`.
            case flags
        }

        var kind: Kind
        var text: String
    }

    /// The pattern for use inside a longer one, where it must end before `terminator`: a cookie's value before the `;`, a
    /// path before the `?`.
    ///
    /// What is matched has no `terminator` in it, whatever the pattern says: `.*` becomes `[^\n;]*`. Anchors at the ends of
    /// the pattern mean the ends of what is matched, which is compared whole anyway, so they are left out: inside a longer
    /// text they would never match.
    ///
    /// - Throws: ``Unconfinable`` for what cannot be said in RE2: an anchor in the middle, `\C`, or a Unicode class that has
    ///   the terminator in it.
    package static func confined(_ regex: String, before terminator: Unicode.Scalar) throws(Unconfinable) -> String {
        var parser = Parser(Array(regex.utf8), keepsTokens: true)
        guard regex.utf8.count <= maxLength, (try? parser.parse()) != nil else {
            throw Unconfinable("is not a valid RE2 regex")
        }
        let tokens = parser.tokens
        let anchors = try anchorsAtEnds(of: tokens)
        var text = ""
        for (index, token) in tokens.enumerated() where !anchors.contains(index) {
            text += try confined(token, before: terminator)
        }
        return text
    }

    /// Why a pattern cannot be used inside a longer one: the rest of a sentence.
    package struct Unconfinable: Error {
        package let text: String

        init(_ text: String) { self.text = text }
    }

    // MARK: - Anchors

    /// The places of the anchors that may be left out.
    private static func anchorsAtEnds(of tokens: [Token]) throws(Unconfinable) -> Set<Int> {
        let begins = try anchors(in: Array(tokens.enumerated()), \.isBegin, opening: \.isOpen)
        let ends = try anchors(in: tokens.enumerated().reversed(), \.isEnd, opening: \.isClose)
        let all = begins.union(ends)
        for (index, token) in tokens.enumerated() where token.isRepetition && index > 0 {
            if all.contains(index - 1) || hasAnchor(endingAt: index - 1, in: tokens, all) {
                throw Unconfinable("must not repeat an anchor")
            }
        }
        return all
    }

    /// Anchors before which, in the given direction, nothing stands in their branch and in those around it.
    private static func anchors(
        in tokens: [(offset: Int, element: Token)], _ isAnchor: (Token) -> Bool, opening isOpening: (Token) -> Bool
    ) throws(Unconfinable) -> Set<Int> {
        var found: Set<Int> = []
        // For the whole and every open group: whether something stands before in the present branch.
        var isPreceded = [false]
        for (index, token) in tokens {
            if isAnchor(token) {
                guard !isPreceded.contains(true) else {
                    throw Unconfinable("must not have the anchor \(token.text) other than at an end")
                }
                found.insert(index)
            } else if isOpening(token) {
                isPreceded.append(false)
            } else if token.isOpen || token.isClose {
                isPreceded.removeLast()
                if isPreceded.isEmpty { isPreceded = [true] } else { isPreceded[isPreceded.count - 1] = true }
            } else if case .bar = token.kind {
                isPreceded[isPreceded.count - 1] = false
            } else if token.takesPlace {
                isPreceded[isPreceded.count - 1] = true
            }
        }
        return found
    }

    /// Whether the group that ends at a token has an anchor in it.
    private static func hasAnchor(endingAt end: Int, in tokens: [Token], _ anchors: Set<Int>) -> Bool {
        guard tokens[end].isClose else { return false }
        var depth = 0
        for index in (0...end).reversed() {
            if tokens[index].isClose { depth += 1 }
            if tokens[index].isOpen { depth -= 1 }
            if anchors.contains(index) { return true }
            if depth == 0 { return false }
        }
        return false
    }

    // MARK: - Characters

    private static func confined(_ token: Token, before terminator: Unicode.Scalar) throws(Unconfinable) -> String {
        guard case .code(let code) = token.kind else { return token.text }
        var isChanged = false
        var text = ""
        for instruction in code {
            switch instruction {
            case .character(let set):
                if set.contains(terminator) == false {
                    text += set.literal ?? ""
                    if set.literal == nil && code.count > 1 { throw Unconfinable("cannot be taken apart") }
                } else {
                    text += try set.pattern(without: terminator)
                    isChanged = true
                }
            case .unknown: throw Unconfinable("must not have \\C in it")
            case .assertion, .split, .jump: break
            }
        }
        return isChanged ? text : token.text
    }
}

extension RE2.Token {
    fileprivate var isOpen: Bool { if case .open = kind { true } else { false } }
    fileprivate var isClose: Bool { if case .close = kind { true } else { false } }
    fileprivate var isRepetition: Bool { if case .repetition = kind { true } else { false } }
    fileprivate var isBegin: Bool { has(.beginOfText) || has(.beginOfLine) }
    fileprivate var isEnd: Bool { has(.endOfText) || has(.endOfLine) }

    /// Whether it takes characters or says something about where they stand.
    fileprivate var takesPlace: Bool { if case .code(let code) = kind { !code.isEmpty } else { false } }

    private func has(_ assertion: RE2.Assertion) -> Bool {
        guard case .code(let code) = kind, code.count == 1, case .assertion(let own) = code[0] else { return false }
        return own == assertion
    }
}

extension RE2.CharacterSet {
    /// The only character that it has, quoted.
    fileprivate var literal: String? {
        guard !isNegated, members.count == 1, case .range(let range) = members[0], range.count == 1,
            let scalar = Unicode.Scalar(range.lowerBound)
        else { return nil }
        return RE2.quoted(String(Character(scalar)))
    }

    /// The set without one character, as a pattern. Flags such as `(?i)` go on to hold for it.
    fileprivate func pattern(without scalar: Unicode.Scalar) throws(RE2.Unconfinable) -> String {
        if isNegated {
            return "[^" + members.map(\.text).joined() + Self.escaped(scalar.value) + "]"
        }
        var text = ""
        for member in members {
            switch member {
            case .range(let range): text += Self.text(of: [range], without: scalar.value)
            case .ascii(let ranges, let isNegated):
                text += Self.text(of: isNegated ? Self.complement(ranges) : ranges, without: scalar.value)
            case .unicode("Any", let isNegated):
                text += isNegated ? "" : Self.text(of: [0...0x10_FFFF], without: scalar.value)
            case .unicode(let name, let isNegated):
                // Of the scripts, which are not known here, only one has punctuation of ASCII.
                guard (member.contains(scalar) ?? ((name == "Common") != isNegated)) == false else {
                    throw RE2.Unconfinable("must not have \(member.text) in it, which has \"\(scalar)\"")
                }
                text += member.text
            }
        }
        return text.isEmpty ? Self.nothing : "[\(text)]"
    }

    /// Matches no character.
    private static let nothing = "[^\\x00-\\x{10FFFF}]"

    private static func text(of ranges: [ClosedRange<RE2.CodePoint>], without value: RE2.CodePoint) -> String {
        ranges.reduce(into: "") { text, range in
            guard range.contains(value) else { return text += RE2.CharacterSet.Member.range(range).text }
            if range.lowerBound < value { text += Member.range(range.lowerBound...(value - 1)).text }
            if range.upperBound > value { text += Member.range((value + 1)...range.upperBound).text }
        }
    }

    fileprivate static func complement(_ ranges: [ClosedRange<RE2.CodePoint>]) -> [ClosedRange<RE2.CodePoint>] {
        var rest: [ClosedRange<RE2.CodePoint>] = []
        var next: RE2.CodePoint = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { rest.append(next...(range.lowerBound - 1)) }
            next = max(next, range.upperBound + 1)
        }
        if next <= 0x10_FFFF { rest.append(next...0x10_FFFF) }
        return rest
    }

    fileprivate static func escaped(_ value: RE2.CodePoint) -> String { "\\x{\(String(value, radix: 16))}" }
}

extension RE2.CharacterSet.Member {
    /// The member as it stands between brackets.
    fileprivate var text: String {
        switch self {
        case .range(let range):
            range.count == 1
                ? RE2.CharacterSet.escaped(range.lowerBound)
                : RE2.CharacterSet.escaped(range.lowerBound) + "-" + RE2.CharacterSet.escaped(range.upperBound)
        case .ascii(let ranges, let isNegated):
            (isNegated ? RE2.CharacterSet.complement(ranges) : ranges).map { Self.range($0).text }.joined()
        case .unicode(let name, let isNegated): "\\\(isNegated ? "P" : "p"){\(name)}"
        }
    }
}
