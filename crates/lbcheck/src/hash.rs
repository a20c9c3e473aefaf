//! The hash functions of the three products, written from their public descriptions.

use crate::model::HashFunction;

/// `sdbm`, HAProxy's default.
pub(crate) fn sdbm(key: &[u8]) -> u32 {
    key.iter().fold(0, |hash: u32, &byte| hash.wrapping_mul(65_599).wrapping_add(u32::from(byte)))
}

/// `djb2`.
pub(crate) fn djb2(key: &[u8]) -> u32 {
    key.iter().fold(5381, |hash: u32, &byte| hash.wrapping_mul(33).wrapping_add(u32::from(byte)))
}

/// `wt6`, which only HAProxy has: each byte is mixed into two registers, which then change places, each turned by as
/// many bits as the two together say.
pub(crate) fn wt6(key: &[u8]) -> u32 {
    let (mut left, mut right) = (0xa53c_965a_u32, 0x5ca6_953a_u32);
    let (mut turn_right, mut turn_left) = (6, 18);
    for &byte in key {
        let byte = u32::from(byte);
        left = !(left ^ byte);
        right = !right.wrapping_add(byte);
        // By 0 to 31 bits: a turn by none leaves a register as it is.
        (left, right) = (right.rotate_left(turn_right), left.rotate_left(turn_left));
        let mixed = ((left >> 16) ^ right) & 0xffff;
        turn_right = mixed & 31;
        turn_left = mixed >> 11;
    }
    left ^ right
}

/// A CRC-32 (IEEE 802.3) in the making, so that nginx's chains can go on from any point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crc32(u32);

impl Crc32 {
    pub(crate) fn new() -> Self {
        Self(u32::MAX)
    }

    pub(crate) fn update(mut self, bytes: &[u8]) -> Self {
        for &byte in bytes {
            // The low byte is below 256, the length of the table.
            self.0 = (self.0 >> 8) ^ CRC_TABLE[((self.0 ^ u32::from(byte)) & 0xff) as usize];
        }
        self
    }

    pub(crate) fn finish(self) -> u32 {
        !self.0
    }
}

const CRC_TABLE: [u32; 256] = crc_table();

const fn crc_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

/// CRC-32 as in IEEE 802.3.
pub(crate) fn crc32(key: &[u8]) -> u32 {
    Crc32::new().update(key).finish()
}

/// HAProxy's `avalanche` modifier: Bob Jenkins' six-shift integer hash of the value times a prime.
pub(crate) fn avalanche(value: u32) -> u32 {
    let mut a = value;
    a = a.wrapping_add(0x7ed5_5d16).wrapping_add(a << 12);
    a = (a ^ 0xc761_c23c) ^ (a >> 19);
    a = a.wrapping_add(0x1656_67b1).wrapping_add(a << 5);
    a = a.wrapping_add(0xd3a2_646c) ^ (a << 9);
    a = a.wrapping_add(0xfd70_46c5).wrapping_add(a << 3);
    a = (a ^ 0xb55a_4f09) ^ (a >> 16);
    a.wrapping_mul(3_221_225_473)
}

/// One round of nginx `ip_hash` over the octets that count, from `start` (89 at first).
pub(crate) fn ip_hash(start: u32, octets: &[u8]) -> u32 {
    octets.iter().fold(start, |hash, &octet| (hash * 113 + u32::from(octet)) % 6271)
}

/// MurmurHash2 of 32 bits with seed 0, as nginx `split_clients` uses it.
pub(crate) fn murmur2_32(key: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = key.len() as u32;
    let mut words = key.chunks_exact(4);
    for word in &mut words {
        let mut k = little_endian(word) as u32;
        k = k.wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !words.remainder().is_empty() {
        hash = (hash ^ little_endian(words.remainder()) as u32).wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

/// MurmurHash2 of 64 bits (64A) with the seed Envoy uses.
pub(crate) fn murmur2_64(key: &[u8]) -> u64 {
    const M: u64 = 0xc6a4_a793_5bd1_e995;
    const SEED: u64 = 0xc70f_6907;
    let mut hash = SEED ^ (key.len() as u64).wrapping_mul(M);
    let mut words = key.chunks_exact(8);
    for word in &mut words {
        let mut k = little_endian(word).wrapping_mul(M);
        k ^= k >> 47;
        hash = (hash ^ k.wrapping_mul(M)).wrapping_mul(M);
    }
    if !words.remainder().is_empty() {
        hash = (hash ^ little_endian(words.remainder())).wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 47)).wrapping_mul(M);
    hash ^ (hash >> 47)
}

/// xxHash64.
pub(crate) fn xxh64(key: &[u8], seed: u64) -> u64 {
    const P: [u64; 5] = [
        0x9E37_79B1_85EB_CA87,
        0xC2B2_AE3D_27D4_EB4F,
        0x1656_67B1_9E37_79F9,
        0x85EB_CA77_C2B2_AE63,
        0x27D4_EB2F_1656_67C5,
    ];
    fn round(lane: u64, input: u64) -> u64 {
        lane.wrapping_add(input.wrapping_mul(P[1])).rotate_left(31).wrapping_mul(P[0])
    }
    let mut stripes = key.chunks_exact(32);
    let mut hash = if key.len() < 32 {
        seed.wrapping_add(P[4])
    } else {
        let mut lanes = [
            seed.wrapping_add(P[0]).wrapping_add(P[1]),
            seed.wrapping_add(P[1]),
            seed,
            seed.wrapping_sub(P[0]),
        ];
        for stripe in &mut stripes {
            for (lane, word) in lanes.iter_mut().zip(stripe.chunks_exact(8)) {
                *lane = round(*lane, little_endian(word));
            }
        }
        let rotated = lanes.iter().zip([1, 7, 12, 18]).map(|(lane, by)| lane.rotate_left(by));
        let mut hash = rotated.fold(0, u64::wrapping_add);
        for lane in lanes {
            hash = (hash ^ round(0, lane)).wrapping_mul(P[0]).wrapping_add(P[3]);
        }
        hash
    };
    hash = hash.wrapping_add(key.len() as u64);
    let mut words = stripes.remainder().chunks_exact(8);
    for word in &mut words {
        hash = (hash ^ round(0, little_endian(word))).rotate_left(27).wrapping_mul(P[0]).wrapping_add(P[3]);
    }
    let mut halves = words.remainder().chunks_exact(4);
    for half in &mut halves {
        hash = (hash ^ little_endian(half).wrapping_mul(P[0]))
            .rotate_left(23)
            .wrapping_mul(P[1])
            .wrapping_add(P[2]);
    }
    for &byte in halves.remainder() {
        hash = (hash ^ u64::from(byte).wrapping_mul(P[4])).rotate_left(11).wrapping_mul(P[0]);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(P[1]);
    hash = (hash ^ (hash >> 29)).wrapping_mul(P[2]);
    hash ^ (hash >> 32)
}

/// HAProxy's hash of `key`. `None`: the function is not known here, or does not go by bytes.
pub(crate) fn haproxy(function: HashFunction, key: &[u8]) -> Option<u32> {
    let (hash, modified) = match function {
        HashFunction::Sdbm { avalanche } => (sdbm(key), avalanche),
        HashFunction::Djb2 { avalanche } => (djb2(key), avalanche),
        HashFunction::Crc32 { avalanche } => (crc32(key), avalanche),
        HashFunction::Wt6 { avalanche } => (wt6(key), avalanche),
        HashFunction::Identity { .. }
        | HashFunction::Nginx
        | HashFunction::XxHash
        | HashFunction::Murmur2 => return None,
    };
    Some(if modified { avalanche(hash) } else { hash })
}

/// The bucket of nginx `split_clients`: the index of the share that `key` falls into, `None` beyond all of them.
/// Shares are in hundredths of a percent; the last, `*`, is what is beyond.
pub(crate) fn split_clients(key: &[u8], shares: &[u32]) -> Option<usize> {
    let hash = u64::from(murmur2_32(key));
    let mut sum = 0_u64;
    shares.iter().position(|&share| {
        sum += u64::from(share) * u64::from(u32::MAX) / 10_000;
        hash < sum
    })
}

/// Up to eight bytes as a number.
fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, &byte| (value << 8) | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// key, sdbm, djb2, crc32, avalanche(sdbm), nginx hash, murmur2-32, xxh64
    type Vector = (&'static str, u32, u32, u32, u32, u32, u32, u64);

    const VECTORS: [Vector; 5] = [
        ("/", 47, 177620, 2043925204, 2118074832, 31187, 2810847099, 16761507700594825962),
        (
            "/index.html",
            858007926,
            3776231887,
            3928116034,
            4217574924,
            27170,
            2054314365,
            14385203557867844199,
        ),
        (
            "/api/v1/users",
            1139031800,
            130563397,
            3865385976,
            3518830119,
            26213,
            397809058,
            14014965905506715791,
        ),
        ("u1", 7675132, 5863819, 1112514422, 2463338591, 16975, 3808749165, 497719764217913663),
        ("abc", 807794786, 193485963, 891568578, 659243622, 13604, 324500635, 4952883123889572249),
    ];

    #[test]
    fn every_function_gives_the_known_values() {
        for (key, sdbm_, djb2_, crc, modified, nginx, murmur, xx) in VECTORS {
            let bytes = key.as_bytes();
            assert_eq!(sdbm(bytes), sdbm_, "{key}");
            assert_eq!(djb2(bytes), djb2_, "{key}");
            assert_eq!(crc32(bytes), crc, "{key}");
            assert_eq!(avalanche(sdbm_), modified, "{key}");
            assert_eq!((crc32(bytes) >> 16) & 0x7fff, nginx, "{key}");
            assert_eq!(murmur2_32(bytes), murmur, "{key}");
            assert_eq!(xxh64(bytes, 0), xx, "{key}");
        }
        assert_eq!(xxh64(b"", 0), 17241709254077376921);
        let ids: [(&[u8], u32); 3] = [(b"id-1", 995120774), (b"id-2", 1002405301), (b"10.0.0.1", 2670052029)];
        for (key, hash) in ids {
            assert_eq!(murmur2_32(key), hash);
        }
    }

    #[test]
    fn wt6_gives_the_values_that_haproxy_was_seen_to_give() {
        let known = [
            ("/", 1886637733),
            ("/index.html", 822151038),
            ("/api/v1/users", 2910045164),
            ("u1", 2478345727),
            ("abc", 2483038440),
        ];
        for (key, hash) in known {
            assert_eq!(wt6(key.as_bytes()), hash, "{key}");
        }
    }

    #[test]
    fn ip_hash_goes_over_the_first_three_octets() {
        let networks =
            [([192, 168, 0], 153), ([192, 168, 1], 154), ([10, 0, 0], 2565), ([203, 0, 113], 2592)];
        for (octets, hash) in networks {
            assert_eq!(ip_hash(89, &octets), hash);
        }
    }

    #[test]
    fn the_first_nodes_of_a_haproxy_ring() {
        let nodes = [1237450891, 2761370759, 3040967754, 643086982];
        for (node, position) in nodes.into_iter().enumerate() {
            assert_eq!(avalanche(4096 + node as u32), position);
        }
        assert_eq!(avalanche(2 * 4096), 1079705203);
    }

    #[test]
    fn split_clients_gives_the_measured_counts() {
        let mut counts = [0; 3];
        for id in 0..2000 {
            let bucket = split_clients(format!("id-{id}").as_bytes(), &[1000, 2000]);
            counts[bucket.unwrap_or(2)] += 1;
        }
        assert_eq!(counts, [166, 399, 1435]);
    }
}
