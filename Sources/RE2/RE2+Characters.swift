extension RE2 {
    /// A set of characters, with which one character of a text is compared.
    struct CharacterSet: Sendable {
        enum Member: Sendable {
            case range(ClosedRange<CodePoint>)
            /// The POSIX and Perl classes, which know ASCII only.
            case ascii([ClosedRange<CodePoint>], isNegated: Bool)
            /// A category or script by its name.
            case unicode(String, isNegated: Bool)
        }

        var members: [Member] = []
        var isNegated = false
        var ignoresCase: Bool

        static let all = CharacterSet(.range(0...0x10_FFFF))
        static let allButLineFeed = CharacterSet(.range(10...10), isNegated: true)

        init(ignoresCase: Bool) { self.ignoresCase = ignoresCase }

        init(_ scalar: CodePoint, ignoresCase: Bool) {
            members = [.range(scalar...scalar)]
            self.ignoresCase = ignoresCase
        }

        private init(_ member: Member, isNegated: Bool = false) {
            members = [member]
            self.isNegated = isNegated
            ignoresCase = false
        }

        /// - Returns: `nil` if that cannot be said: which characters a script has is not known here.
        func contains(_ scalar: Unicode.Scalar) -> Bool? {
            ignoresCase ? contains(anyOf: scalar.caseForms) : contains(anyOf: CollectionOfOne(scalar))
        }

        private func contains(anyOf forms: some Collection<Unicode.Scalar>) -> Bool? {
            var isUnknown = false
            for member in members {
                for form in forms {
                    switch member.contains(form) {
                    case true?: return !isNegated
                    case false?: continue
                    case nil: isUnknown = true
                    }
                }
            }
            return isUnknown ? nil : isNegated
        }
    }

    /// By POSIX name, and what Perl's `\s` is (no vertical tab).
    static let asciiClasses: [String: [ClosedRange<CodePoint>]] = [
        "alnum": [48...57, 65...90, 97...122], "alpha": [65...90, 97...122], "ascii": [0...127],
        "blank": [9...9, 32...32],
        "cntrl": [0...31, 127...127], "digit": [48...57], "graph": [33...126], "lower": [97...122], "print": [32...126],
        "punct": [33...47, 58...64, 91...96, 123...126], "space": [9...13, 32...32], "upper": [65...90],
        "word": [48...57, 65...90, 95...95, 97...122], "xdigit": [48...57, 65...70, 97...102],
        "perl space": [9...10, 12...13, 32...32],
    ]
}

extension RE2.CharacterSet.Member {
    func contains(_ scalar: Unicode.Scalar) -> Bool? {
        switch self {
        case .range(let range): return range.contains(scalar.value)
        case .ascii(let ranges, let isNegated): return ranges.contains { $0.contains(scalar.value) } != isNegated
        case .unicode("Any", let isNegated): return !isNegated
        case .unicode(let name, let isNegated):
            guard name.utf8.count <= 2, name != "Yi" else { return nil }
            return scalar.properties.generalCategory.shortName.hasPrefix(name) != isNegated
        }
    }
}

extension Unicode.Scalar {
    /// The character and what it is in the other case.
    fileprivate var caseForms: [Unicode.Scalar] {
        // Without asking Unicode, which makes texts: the two forms of a letter of ASCII differ in one bit.
        guard value >= 0x80 else {
            return (UInt32(97)...122).contains(value | 0x20) ? [self, Unicode.Scalar(UInt8(value) ^ 0x20)] : [self]
        }
        return [self]
            + [properties.lowercaseMapping, properties.uppercaseMapping].compactMap { mapping in
                mapping.unicodeScalars.count == 1 ? mapping.unicodeScalars.first : nil
            }
    }
}

extension Unicode.GeneralCategory {
    /// A general category, as in `\p{Lu}`. Unassigned characters are in none, as in RE2.
    fileprivate var shortName: String {
        switch self {
        case .uppercaseLetter: "Lu"
        case .lowercaseLetter: "Ll"
        case .titlecaseLetter: "Lt"
        case .modifierLetter: "Lm"
        case .otherLetter: "Lo"
        case .nonspacingMark: "Mn"
        case .spacingMark: "Mc"
        case .enclosingMark: "Me"
        case .decimalNumber: "Nd"
        case .letterNumber: "Nl"
        case .otherNumber: "No"
        case .connectorPunctuation: "Pc"
        case .dashPunctuation: "Pd"
        case .openPunctuation: "Ps"
        case .closePunctuation: "Pe"
        case .initialPunctuation: "Pi"
        case .finalPunctuation: "Pf"
        case .otherPunctuation: "Po"
        case .mathSymbol: "Sm"
        case .currencySymbol: "Sc"
        case .modifierSymbol: "Sk"
        case .otherSymbol: "So"
        case .spaceSeparator: "Zs"
        case .lineSeparator: "Zl"
        case .paragraphSeparator: "Zp"
        case .control: "Cc"
        case .format: "Cf"
        case .surrogate: "Cs"
        case .privateUse: "Co"
        default: ""
        }
    }
}
