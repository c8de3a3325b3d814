extension RE2 {
    /// Walks a pattern as RE2's own parser does, with a stack of its own, so that nesting cannot exhaust ours.
    ///
    /// It builds no tree: what is on the stack is instructions already, and what limits are about.
    struct Parser {
        /// One piece of what RE2 would have on its stack.
        struct Piece {
            var code: [Instruction]
            /// An estimate of RE2's own instructions, which work on bytes.
            var size: Int
            /// Counted repetitions multiplied along the deepest nest.
            var repeats = 1
        }

        /// A group: what stands between an opening parenthesis (or the beginning) and its end.
        struct Group {
            /// The pieces since the last `|`; repetition applies to the last of them.
            var pieces: [Piece] = []
            /// The alternatives that stand before each `|`.
            private var alternatives: [Piece] = []
            /// The flags that hold outside, to be restored at the end.
            var outerFlags = Flags()

            /// Ends what stands before a `|`, or the group.
            ///
            /// - Returns: how many instructions were copied for that.
            mutating func closeAlternative() -> Int {
                defer { pieces = [] }
                guard pieces.count != 1 else {
                    pieces[0].size += 1
                    alternatives.append(pieces[0])
                    return 0
                }
                var alternative = Piece(code: [], size: 1)
                for piece in pieces {
                    alternative.code += piece.code
                    alternative.size += piece.size
                    alternative.repeats = max(alternative.repeats, piece.repeats)
                }
                alternatives.append(alternative)
                return alternative.code.count
            }

            /// All that stands in the group as one piece.
            ///
            /// - Returns: the piece, and how many instructions were copied for it.
            mutating func end() -> (piece: Piece, copied: Int) {
                let copied = closeAlternative()
                guard alternatives.count > 1 else { return (alternatives[0], copied) }
                let whole = Piece(
                    code: RE2.anyOf(alternatives.map(\.code)), size: alternatives.reduce(0) { $0 + $1.size },
                    repeats: alternatives.reduce(1) { max($0, $1.repeats) })
                return (whole, copied + whole.code.count)
            }
        }

        struct Flags {
            var ignoresCase = false
            /// `^` and `$` stand for ends of lines too.
            var isMultiline = false
            /// `.` stands for a line feed too.
            var dotMatchesAll = false
        }

        var input: Cursor
        var groups = [Group()]
        var flags = Flags()
        /// The size of all pieces.
        private var size = 0
        /// The cost of the whole pattern, when it has been read: an estimate of RE2's instructions.
        private(set) var total = 0
        /// How many groups capture what they match.
        private(set) var captures = 0
        /// The parts that the pattern is written with, in its order; kept only for who rewrites it.
        private(set) var tokens: [Token] = []
        private let keepsTokens: Bool
        /// How many instructions were copied from one piece to another, which is what parsing takes.
        var copied = 0

        init(_ bytes: [UInt8], keepsTokens: Bool = false) {
            input = Cursor(bytes)
            self.keepsTokens = keepsTokens
        }

        /// - Returns: the instructions; the text fits if they come to their end at the end of the text.
        mutating func parse() throws(SyntaxProblem) -> [Instruction] {
            var afterRepetition = false
            while let byte = input.first {
                let start = input.position
                let (groupsBefore, piecesBefore) = (groups.count, groups[groups.count - 1].pieces.count)
                var isRepetition = false
                switch byte {
                case UInt8(ascii: "("): try openGroup()
                case UInt8(ascii: ")"): try closeGroup()
                case UInt8(ascii: "|"):
                    input.skip()
                    copied += groups[groups.count - 1].closeAlternative()
                case UInt8(ascii: "["): try parseClass()
                case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"):
                    input.skip()
                    isRepetition = true
                    try endRepetition(from: start, stacked: afterRepetition)
                    try repeatLast(byte, from: start)
                case UInt8(ascii: "{"):
                    isRepetition = try parseCount(from: start, stacked: afterRepetition)
                case UInt8(ascii: "\\"): try parseBackslash()
                case UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "$"): parseSymbol(byte)
                default: push(literal: input.takeScalar())
                }
                if keepsTokens {
                    let kind = kind(of: byte, isRepetition, groupsBefore, piecesBefore)
                    tokens.append(Token(kind: kind, text: input.text(from: start)))
                }
                afterRepetition = isRepetition
                guard size <= RE2.maxProgramSize else { throw SyntaxProblem("too large") }
                guard copied <= RE2.maxCopied else { throw SyntaxProblem("nested too deeply") }
            }
            guard groups.count == 1 else { throw SyntaxProblem("missing \")\"") }
            let whole = groups[0].end()
            copied += whole.copied
            total = whole.piece.size
            return whole.piece.code
        }

        private func kind(
            of byte: UInt8, _ isRepetition: Bool, _ groupsBefore: Int, _ piecesBefore: Int
        ) -> Token.Kind {
            switch byte {
            case UInt8(ascii: "("): groups.count > groupsBefore ? .open : .flags
            case UInt8(ascii: ")"): .close
            case UInt8(ascii: "|"): .bar
            default:
                isRepetition
                    ? .repetition : .code(groups[groups.count - 1].pieces.dropFirst(piecesBefore).flatMap(\.code))
            }
        }

        mutating func push(_ code: [Instruction], size: Int) { push(Piece(code: code, size: size)) }

        mutating func push(literal scalar: CodePoint) {
            push([.character(CharacterSet(scalar, ignoresCase: flags.ignoresCase))], size: scalar.utf8Length)
        }

        private mutating func push(_ piece: Piece) {
            groups[groups.count - 1].pieces.append(piece)
            size += piece.size
        }

        private mutating func popPiece() -> Piece? {
            guard let piece = groups[groups.count - 1].pieces.popLast() else { return nil }
            size -= piece.size
            return piece
        }

        private mutating func parseSymbol(_ byte: UInt8) {
            input.skip()
            switch byte {
            case UInt8(ascii: "."): push([.character(flags.dotMatchesAll ? .all : .allButLineFeed)], size: 10)
            case UInt8(ascii: "^"): push([.assertion(flags.isMultiline ? .beginOfLine : .beginOfText)], size: 1)
            default: push([.assertion(flags.isMultiline ? .endOfLine : .endOfText)], size: 1)
            }
        }

        private mutating func closeGroup() throws(SyntaxProblem) {
            guard groups.count > 1, var group = groups.popLast() else { throw SyntaxProblem("unexpected \")\"") }
            input.skip()
            var (piece, copied) = group.end()
            self.copied += copied
            flags = group.outerFlags
            // Its pieces are counted already.
            piece.size += 2
            size += 2
            groups[groups.count - 1].pieces.append(piece)
        }
    }
}

// MARK: - Repetition

extension RE2.Parser {
    /// Takes the `?` that makes a repetition lazy and refuses one right behind another (`a**`, `a++`, `a{2}*`).
    private mutating func endRepetition(from start: Int, stacked: Bool) throws(RE2.SyntaxProblem) {
        _ = input.take("?")
        if stacked { throw RE2.SyntaxProblem("bad repetition operator \"\(input.text(from: start))\"") }
    }

    /// Reads `{n}`, `{n,}` or `{n,m}`; anything else that begins with a brace is a literal one.
    private mutating func parseCount(from start: Int, stacked: Bool) throws(RE2.SyntaxProblem) -> Bool {
        guard let (low, high) = input.takeCount() else {
            input.skip()
            push(literal: 0x7B)
            return false
        }
        try endRepetition(from: start, stacked: stacked)
        let most = high ?? low
        guard low <= RE2.maxRepeat, most <= RE2.maxRepeat, low <= most else {
            throw RE2.SyntaxProblem(
                "bad repetition \"\(input.text(from: start))\", at most \(RE2.maxRepeat) are allowed")
        }
        var piece = try operand(from: start)
        let factor = Swift.max(most, 1)
        guard piece.repeats * factor <= RE2.maxRepeat || most < 2 else {
            throw RE2.SyntaxProblem("nested repetitions come to more than \(RE2.maxRepeat)")
        }
        piece.repeats *= factor
        piece.size = (piece.size + 1) * Swift.max(most + (high == nil ? 1 : 0), 1) + 1
        guard piece.size <= RE2.maxProgramSize else { throw RE2.SyntaxProblem("too large") }
        copied += piece.code.count * factor
        guard copied <= RE2.maxCopied else { throw RE2.SyntaxProblem("nested too deeply") }
        piece.code = RE2.repeated(piece.code, from: low, to: high)
        push(piece)
        return true
    }

    /// `*`, `+` and `?`, lazy or not, which makes no difference to whether a text fits.
    private mutating func repeatLast(_ symbol: UInt8, from start: Int) throws(RE2.SyntaxProblem) {
        var piece = try operand(from: start)
        piece.size += 1
        copied += piece.code.count
        piece.code =
            switch symbol {
            case UInt8(ascii: "*"): RE2.repeated(piece.code, from: 0, to: nil)
            case UInt8(ascii: "+"): RE2.repeated(piece.code, from: 1, to: nil)
            default: RE2.repeated(piece.code, from: 0, to: 1)
            }
        push(piece)
    }

    private mutating func operand(from start: Int) throws(RE2.SyntaxProblem) -> Piece {
        guard let piece = popPiece() else {
            throw RE2.SyntaxProblem("nothing to repeat before \"\(input.text(from: start))\"")
        }
        return piece
    }
}

// MARK: - Groups and flags

extension RE2.Parser {
    private mutating func openGroup() throws(RE2.SyntaxProblem) {
        let start = input.position
        input.skip()
        guard input.take("?") else { return openCapture() }
        for lookaround in ["=", "!", "<=", "<!"] where input.hasPrefix(lookaround) {
            throw RE2.SyntaxProblem("look-around \"(?\(lookaround)\" is not supported")
        }
        if input.take("P<") || input.take("<") {
            guard let name = input.takeText(before: ">"), RE2.isGroupName(name) else {
                throw RE2.SyntaxProblem("bad name of a group in \"\(input.text(from: start))\"")
            }
            return openCapture()
        }
        try parseFlags(from: start)
    }

    private mutating func openCapture() {
        captures += 1
        openGroup(restoring: flags)
    }

    private mutating func openGroup(restoring outer: Flags) {
        var group = Group()
        group.outerFlags = outer
        groups.append(group)
    }

    /// Reads `i`, `m`, `s`, `U`, also behind a `-`, up to `:` (which opens a group) or `)`.
    private mutating func parseFlags(from start: Int) throws(RE2.SyntaxProblem) {
        let outer = flags
        var isNegated = false
        var sawFlag = false
        while let byte = input.first {
            _ = input.takeScalar()
            switch byte {
            case UInt8(ascii: "i"): flags.ignoresCase = !isNegated
            case UInt8(ascii: "m"): flags.isMultiline = !isNegated
            case UInt8(ascii: "s"): flags.dotMatchesAll = !isNegated
            case UInt8(ascii: "U"): break
            case UInt8(ascii: "-") where !isNegated:
                isNegated = true
                sawFlag = false
                continue
            case UInt8(ascii: ":") where sawFlag || !isNegated: return openGroup(restoring: outer)
            case UInt8(ascii: ")") where sawFlag || !isNegated: return
            default: throw RE2.SyntaxProblem("\"\(input.text(from: start))\" is not supported")
            }
            sawFlag = true
        }
        throw RE2.SyntaxProblem("missing \")\"")
    }
}

extension RE2 {
    /// Word characters of any script, as Python 3 has them; the first one is not special.
    static func isGroupName(_ name: String) -> Bool {
        !name.isEmpty
            && name.unicodeScalars.allSatisfy { scalar in
                switch scalar.properties.generalCategory {
                case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .letterNumber,
                    .nonspacingMark, .spacingMark, .decimalNumber, .connectorPunctuation:
                    true
                default: false
                }
            }
    }
}
