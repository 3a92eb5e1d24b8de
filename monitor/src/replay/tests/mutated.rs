//! Captures with bytes changed, cut out and doubled: no panic, nothing unbounded, no name that was not sent.

use super::build::{CLIENT, CLIENT_V6, ETHERNET, SERVER, SERVER_V6};
use super::files::pcapng;
use super::*;

/// Packets with most of what there is to break.
fn packets() -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for ip in Talk::opened(CLIENT, SERVER)
        .client(&connect("mutant.example:443"))
        .server(b"HTTP/1.1 200 OK\r\n\r\n")
        .client(&hello("mutant.example", 500)[..300])
        .client(&hello("mutant.example", 500)[300..])
        .closed()
    {
        packets.push([&[2; 12][..], &[0x81, 0, 0, 5, 8, 0], &ip].concat());
    }
    for ip in ip_packets(CLIENT_V6, SERVER_V6, "mutant.example") {
        packets.push([&[2; 12][..], &[0x86, 0xdd], &ip].concat());
    }
    packets
}

const ROUNDS: usize = 20_000;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound
    }
}

fn mutate(file: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.below(8) {
        let at = random.below(file.len());
        match random.below(5) {
            0 => file[at] = random.below(256) as u8,
            1 => file[at] ^= 1 << random.below(8),
            2 => drop(file.drain(at..(at + random.below(40)).min(file.len() - 1).max(at))),
            3 => {
                let piece = file[at..(at + random.below(200)).min(file.len())].to_vec();
                let to = random.below(file.len());
                file.splice(to..to, piece);
            }
            _ => file[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
        }
    }
}

#[test]
fn no_mutation_of_a_capture_panics() {
    let packets = packets();
    let seeds = [pcap(ETHERNET, &packets), pcapng(ETHERNET, &packets)];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut names = 0;
    for turn in 0..ROUNDS {
        let mut file = seeds[turn % 2].clone();
        mutate(&mut file, &mut random);
        let got = replay(&file);
        names += got.report.names;
        assert!(got.events.len() < 100);
    }
    // Most mutations leave most of the file readable.
    assert!(names as usize > ROUNDS, "{names}");
}
