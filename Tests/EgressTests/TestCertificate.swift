import NIOSSL

/// A self-signed certificate for `provider.test` and 127.0.0.1, for tests only; valid until the year 2126.
enum TestCertificate {
    static func server() throws -> NIOSSLContext {
        let certificate = try NIOSSLCertificate(bytes: Array(certificatePEM.utf8), format: .pem)
        let key = try NIOSSLPrivateKey(bytes: Array(keyPEM.utf8), format: .pem)
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(certificate)], privateKey: .privateKey(key))
        tls.applicationProtocols = ["h2", "http/1.1"]
        return try NIOSSLContext(configuration: tls)
    }

    static let certificatePEM = """
        -----BEGIN CERTIFICATE-----
        MIIBqDCCAU2gAwIBAgIUdrLc+0pt0kBks/6rSTDQPpZGg4MwCgYIKoZIzj0EAwIw
        GDEWMBQGA1UEAwwNcHJvdmlkZXIudGVzdDAgFw0yNjEyMDEwMDQ4MTFaGA8yMTI2
        MTEwNzAwNDgxMVowGDEWMBQGA1UEAwwNcHJvdmlkZXIudGVzdDBZMBMGByqGSM49
        AgEGCCqGSM49AwEHA0IABAfaXGV2uTYqd66oYeUjBJWo5CIA77ITcoVLHt8qBL04
        fdDWGG9V6G9vQcaArbP5sboeKERheuASZZWQP5F67sajczBxMB0GA1UdDgQWBBQN
        o8404LgqJijMMXHvSLm0ByoshzAfBgNVHSMEGDAWgBQNo8404LgqJijMMXHvSLm0
        ByoshzAPBgNVHRMBAf8EBTADAQH/MB4GA1UdEQQXMBWCDXByb3ZpZGVyLnRlc3SH
        BH8AAAEwCgYIKoZIzj0EAwIDSQAwRgIhALgGQiFPJ9COoU2bohvuJ05Bong0ICbm
        mlmhE9y2N9wZAiEAz95UrLbCHq4ThJ7WEtZuXXFFgqVnSC2I1GUckGF2tXM=
        -----END CERTIFICATE-----
        """

    private static let keyPEM = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgsUBdOWThXg+FszZO
        SS3w/4kGHcHj2ZQ8RQwZmAi77gGhRANCAAQH2lxldrk2KneuqGHlIwSVqOQiAO+y
        E3KFSx7fKgS9OH3Q1hhvVehvb0HGgK2z+bG6HihEYXrgEmWVkD+Reu7G
        -----END PRIVATE KEY-----
        """
}
