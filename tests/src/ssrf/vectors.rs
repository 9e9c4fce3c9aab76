//! The table: every address that no deployed stack may call, in every spelling that some parser
//! reads. `{port}` is where a listener of the test's waits.

/// URLs that are refused by their text alone.
#[rustfmt::skip]
pub const URLS: &[&str] = &[
    // Loopback, in every way to write a number
    "http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "http://127.0.0.53:{port}/",
    "http://127.255.255.254:{port}/", "http://127.1:{port}/", "http://127.0.1:{port}/",
    "http://2130706433:{port}/", "http://0x7f000001:{port}/", "http://0x7f.0.0.1:{port}/",
    "http://0X7F.1:{port}/", "http://0177.0.0.1:{port}/", "http://017700000001:{port}/",
    "http://0177.0.0.01:{port}/", "http://127.0.0.01:{port}/", "http://127.000.000.001:{port}/",
    "http://127.0.0.1.:{port}/", "http://%31%32%37.0.0.1:{port}/", "http://127%2e0%2e0%2e1:{port}/",
    "http://１２７.0.0.1:{port}/", "http://127。0。0。1:{port}/", "http://127．0．0．1:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/", "http://%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1:{port}/",
    // Nobody's address, which many systems connect to themselves
    "http://0:{port}/", "http://0.0.0.0:{port}/", "http://0.0:{port}/", "http://0x0:{port}/",
    "http://00000000:{port}/", "http://0.0.0.0.:{port}/", "http://0.0.0.1:{port}/",
    // IPv6: loopback, mapped, compatible, translated, and tunnels
    "http://[::1]:{port}/", "https://[::1]:{port}/", "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://[0000:0000:0000:0000:0000:0000:0000:0001]:{port}/", "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/", "http://[::FFFF:7F00:1]:{port}/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/", "http://[::ffff:0.0.0.0]:{port}/",
    "http://[::127.0.0.1]:{port}/", "http://[::7f00:1]:{port}/", "http://[::ffff:0:127.0.0.1]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/", "http://[64:ff9b::7f00:1]:{port}/",
    "http://[64:ff9b:1::7f00:1]:{port}/", "http://[2002:7f00:1::]:{port}/",
    "http://[2001:0:7f00:1::]:{port}/", "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]:{port}/",
    "http://[::1%25lo]:{port}/", "http://[::1%lo]:{port}/", "http://[::ffff:0x7f.0.0.1]:{port}/",
    // Names of this machine and of networks that nobody outside sees
    "http://localhost:{port}/", "http://LOCALHOST:{port}/", "http://LocalHost:{port}/",
    "http://localhost.:{port}/", "http://localhost..:{port}/", "http://agent.localhost:{port}/",
    "http://a.b.localhost.:{port}/", "http://%6cocalhost:{port}/", "http://ⓛocalhost:{port}/",
    "http://ｌｏｃａｌｈｏｓｔ:{port}/", "http://local\u{ad}host:{port}/", "http://loc\talhost:{port}/",
    "http://printer.local:{port}/", "http://router.home.arpa:{port}/", "http://intranet:{port}/",
    "http://ip-10-0-1-5.ec2.internal:{port}/", "http://host.docker.internal:{port}/",
    "http://ip-10-0-1-5.eu-central-1.compute.internal:{port}/",
    "http://kubernetes.default.svc.cluster.local/",
    // Metadata services and the local link
    "http://169.254.169.254/latest/meta-data/iam/security-credentials/", "https://169.254.169.254/",
    "http://169.254.169.254:80/", "http://169.254.169.254./", "http://2852039166/",
    "http://0xa9fea9fe/", "http://0xa9.0xfe.0xa9.0xfe/", "http://0251.0376.0251.0376/",
    "http://025177524776/", "http://169.254.43518/", "http://169.16689662/",
    "http://169%2E254%2E169%2E254/", "http://１６９.２５４.１６９.２５４/",
    "http://[::ffff:169.254.169.254]/", "http://[::ffff:a9fe:a9fe]/", "http://[::169.254.169.254]/",
    "http://[64:ff9b::a9fe:a9fe]/", "http://[2002:a9fe:a9fe::1]/", "http://[fd00:ec2::254]/latest/",
    "http://[FD00:0EC2:0:0:0:0:0:0254]/", "http://[fd00:ec2::253]/", "http://[fd00:ec2::23]/",
    "http://[fe80::1]/", "http://[fe80::a9fe:a9fe]/", "http://[fe80::1%25eth0]/",
    "http://[febf:ffff::1]/", "http://169.254.170.2/v2/credentials", "http://169.254.170.23/",
    "http://169.254.169.253/", "http://169.254.169.123/", "http://169.254.0.1/",
    "http://metadata/", "http://metadata.google.internal/computeMetadata/v1/",
    "http://METADATA.google.internal./", "http://metadata.goog/", "http://metadata.azure.com/",
    "http://instance-data/latest/meta-data/", "http://instance-data.ec2.internal/",
    "http://168.63.129.16/", "http://100.100.100.200/", "http://192.0.0.192/", "http://[fd20:ce::254]/",
    // Private networks, as VPCs are
    "http://10.0.0.1:{port}/", "http://10.0.0.2/", "http://10.255.255.255/", "http://172.16.0.1/",
    "http://172.31.0.2/", "http://192.168.1.1/", "http://012.0.0.1/", "http://010.0.0.1/",
    "http://0xa000001/", "http://167772161/", "http://10.1/", "http://10.0.0.1./",
    "http://[::ffff:10.0.0.1]/", "http://[fd12:3456:789a::1]/", "http://[fc00::1]/",
    "http://[fec0::1]/", "http://100.64.0.1/", "http://100.127.255.254/",
    "http://[::ffff:100.64.0.1]/", "http://[64:ff9b::10.0.0.1]/", "http://[2002:a00:1::1]/",
    // No agent's: multicast, broadcast, documentation, benchmarks, reserved
    "http://224.0.0.1/", "http://239.255.255.250:1900/", "http://240.0.0.1/",
    "http://255.255.255.255:{port}/", "http://192.0.2.1/", "http://198.51.100.1/",
    "http://203.0.113.1/", "http://198.18.0.1/", "http://192.88.99.1/", "http://[ff02::1]/",
    "http://[ff0e::1]/", "http://[100::1]/", "http://[2001:db8::1]/", "http://[3fff::1]/",
    "http://[5f00::1]/", "http://[2001:2::1]/",
    // Whose host is that? Credentials, slashes, what parsers drop
    "http://user:pass@127.0.0.1:{port}/", "http://example.com@127.0.0.1:{port}/",
    "http://example.com:80@127.0.0.1:{port}/", "http://127.0.0.1:{port}@example.com/",
    "http://@127.0.0.1:{port}/", "http://:@127.0.0.1:{port}/", "http://a@b@127.0.0.1:{port}/",
    "http://example.com%2f@127.0.0.1:{port}/", "http://example.com%40127.0.0.1:{port}/",
    "http://example.com\\@127.0.0.1:{port}/", "http://example.com#@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#.example.com/", "http:\\\\127.0.0.1:{port}\\",
    "http:///127.0.0.1:{port}/", "http:127.0.0.1:{port}/", "http:/127.0.0.1:{port}/",
    "//127.0.0.1:{port}/", " http://127.0.0.1:{port}/", "http://127.0.0.1:{port}\t/",
    "ht\ntp://127.0.0.1:{port}/", "http://example.com/\r\nHost: 127.0.0.1",
    "http://example.com\0@127.0.0.1:{port}/", "http://[::1]@example.com/", "http://[127.0.0.1]:{port}/",
    // Schemes and ports
    "file:///etc/passwd", "gopher://127.0.0.1:{port}/_x", "ftp://127.0.0.1:{port}/",
    "dict://127.0.0.1:{port}/", "ldap://127.0.0.1:{port}/", "ws://127.0.0.1:{port}/",
    "unix:///var/run/docker.sock", "http+unix://%2Fvar%2Frun%2Fdocker.sock/", "data:text/plain,x",
    "javascript:alert(1)", "jar:http://127.0.0.1:{port}!/", "127.0.0.1:{port}", "localhost:{port}",
    "http://127.0.0.1:0/", "http://127.0.0.1:/", "http://127.0.0.1:65536/", "http://example.com:0/",
    "http://example.com:/", "http://example.com:+80/",
];

/// Addresses that a name must not stand for.
#[rustfmt::skip]
pub const ANSWERS: &[&str] = &[
    "127.0.0.1", "127.0.0.53", "127.255.255.254", "0.0.0.0", "0.0.0.1", "::1", "::",
    "::ffff:127.0.0.1", "::ffff:0.0.0.0", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1", "2002:7f00:1::1", "2001:0:7f00:1::1",
    "169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.169.253", "169.254.169.123",
    "169.254.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
    "fd00:ec2::254", "fd00:ec2::253", "fd00:ec2::23", "fe80::1", "fe80::a9fe:a9fe", "168.63.129.16",
    "100.100.100.200", "192.0.0.192", "fd20:ce::254",
    "10.0.0.1", "10.0.0.2", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1",
    "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1", "fd12:3456:789a::1", "fc00::1", "fec0::1",
    "100.64.0.1", "100.127.255.255", "::ffff:100.64.0.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "192.88.99.1", "ff02::1", "ff0e::1", "100::1", "2001:db8::1",
    "3fff::1", "5f00::1", "2001:2::1",
];
