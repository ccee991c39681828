//! What an address is good for. A credential goes to public ones; to private ones where that is meant; and never to those that
//! serve one machine or one link alone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Anybody's.
    Public,
    /// This machine.
    Loopback,
    /// A private network, or a reserved range that nobody has.
    Private,
    /// Metadata of this machine, its link alone, nobody, or everybody.
    Never,
}

/// What clouds answer their own machines at, outside of the link-local range: Alibaba, Azure, Oracle.
const METADATA: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];

pub(super) fn kind_of(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(address) => of_v4(address),
        IpAddr::V6(address) => of_v6(address),
    }
}

fn of_v4(address: Ipv4Addr) -> Kind {
    let [a, b, c, _] = address.octets();
    let is_never = address.is_link_local() || address.is_multicast() || address.is_broadcast() || a == 0;
    if is_never || METADATA.contains(&address) {
        return Kind::Never;
    }
    if address.is_loopback() {
        return Kind::Loopback;
    }
    // Shared by carriers, given out by the IETF itself, for benchmarks, and what is not given out at all.
    let is_reserved = matches!((a, b, c), (100, 64..=127, _) | (192, 0, 0) | (198, 18..=19, _)) || a >= 240;
    match address.is_private() || address.is_documentation() || is_reserved {
        true => Kind::Private,
        false => Kind::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> Kind {
    if let Some(inside) = inside(address) {
        return of_v4(inside);
    }
    if address.is_loopback() {
        return Kind::Loopback;
    }
    // AWS and Google answer their own machines in the unique local range.
    let is_metadata = [0xfd00_0ec2, 0xfd20_00ce].contains(&(address.to_bits() >> 96)) && address.segments()[7] == 0x254;
    let is_never = address.is_unspecified() || address.is_multicast() || address.is_unicast_link_local();
    match address.segments() {
        _ if is_never || is_metadata => Kind::Never,
        [0xfc00..=0xfdff, ..] | [0x2001, 0xdb8, ..] | [0xfec0..=0xfeff, ..] | [0x100, 0, 0, 0, ..] => Kind::Private,
        [0x2000..=0x3fff, ..] => Kind::Public,
        _ => Kind::Private,
    }
}

/// The older address that one of these carries: mapped, compatible, translated by NAT64, or tunnelled by 6to4.
fn inside(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => Some(of(g, h)),
        [0, 0, 0, 0, 0, 0] if g != 0 => Some(of(g, h)),
        [0x2002, ..] => Some(of(b, c)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, kind_of};

    #[test]
    fn addresses_of_one_machine_one_link_and_private_networks_are_told_from_those_of_anybody() {
        for (kind, addresses) in [
            (
                Kind::Public,
                &[
                    "8.8.8.8",
                    "100.63.0.1",
                    "172.32.0.1",
                    "2606:4700::1111",
                    "2002:808:808::1",
                ][..],
            ),
            (
                Kind::Loopback,
                &["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"][..],
            ),
            (
                Kind::Private,
                &[
                    "10.0.0.1",
                    "172.16.0.1",
                    "192.168.1.1",
                    "100.64.0.1",
                    "198.18.0.1",
                    "240.0.0.1",
                    "fd12:3456::1",
                    "::ffff:10.0.0.1",
                    "64:ff9b::a00:1",
                    "2002:a00:1::1",
                    "2001:db8::1",
                ][..],
            ),
            (
                Kind::Never,
                &[
                    "169.254.169.254",
                    "169.254.1.1",
                    "0.0.0.0",
                    "255.255.255.255",
                    "224.0.0.1",
                    "100.100.100.200",
                    "168.63.129.16",
                    "192.0.0.192",
                    "fe80::1",
                    "fd00:ec2::254",
                    "fd20:ce::254",
                    "::",
                    "ff02::1",
                    "::ffff:169.254.169.254",
                    "64:ff9b::a9fe:a9fe",
                    "2002:a9fe:a9fe::1",
                ][..],
            ),
        ] {
            for address in addresses {
                assert_eq!(kind_of(address.parse().unwrap()), kind, "{address}");
            }
        }
    }
}
