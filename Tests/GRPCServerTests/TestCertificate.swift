import NIOSSL

/// A self-signed certificate for `localhost`, for tests only; valid until the year 2126.
enum TestCertificate {
    static func server(verifyingClients: Bool = false) throws -> NIOSSLContext {
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(try certificate)], privateKey: .privateKey(try key))
        tls.applicationProtocols = ["h2"]
        if verifyingClients {
            tls.certificateVerification = .noHostnameVerification
            tls.trustRoots = .certificates([try certificate])
        }
        return try NIOSSLContext(configuration: tls)
    }

    static func client(presenting: Bool = false) throws -> NIOSSLContext {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.applicationProtocols = ["h2"]
        tls.trustRoots = .certificates([try certificate])
        if presenting {
            tls.certificateChain = [.certificate(try certificate)]
            tls.privateKey = .privateKey(try key)
        }
        return try NIOSSLContext(configuration: tls)
    }

    static var certificate: NIOSSLCertificate {
        get throws { try NIOSSLCertificate(bytes: Array(certificatePEM.utf8), format: .pem) }
    }

    private static var key: NIOSSLPrivateKey {
        get throws { try NIOSSLPrivateKey(bytes: Array(keyPEM.utf8), format: .pem) }
    }

    static let certificatePEM = """
        -----BEGIN CERTIFICATE-----
        MIIBlTCCATugAwIBAgIUNddhxLZZectOdOc7B82OWcKlDlIwCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzA4MzIzMFoYDzIxMjYxMDMw
        MDgzMjMwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAASsg75m4QBGw7yknUlzRW5h2OjnSNZ4DGT4K/hr0tYLiSN2gKBBbrKd
        ttV6ufqmOsW8tLJur6uuWs5/OfCAjCnMo2kwZzAdBgNVHQ4EFgQUfHECXPutKk1D
        6Cg4XAg0xKsvN4QwHwYDVR0jBBgwFoAUfHECXPutKk1D6Cg4XAg0xKsvN4QwDwYD
        VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
        SAAwRQIgGP065CQ3cb2CNIGgDsaeQ7LjwJ9g4KuW1hgm0S5x3FUCIQDmiQb74hCF
        a8zGxWKancu3lqfTezNRR7Y2skC+/I/u+g==
        -----END CERTIFICATE-----
        """

    static let keyPEM = """
        -----BEGIN EC PRIVATE KEY-----
        MHcCAQEEIIthC7MA51lsI1AD5mwGM9VS/3cWkSae6lmRQwN5zAvDoAoGCCqGSM49
        AwEHoUQDQgAErIO+ZuEARsO8pJ1Jc0VuYdjo50jWeAxk+Cv4a9LWC4kjdoCgQW6y
        nbbVern6pjrFvLSybq+rrlrOfznwgIwpzA==
        -----END EC PRIVATE KEY-----
        """
}
