//! Addresses of the network that people write down: who may connect, who is believed.

use std::net::IpAddr;
use std::str::FromStr;

/// An address, or all that begin with the same bits (CIDR, RFC 4632 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    first: IpAddr,
    bits: u32,
}

/// The text is neither an address nor a block of them.
#[derive(Debug, PartialEq, Eq)]
pub struct NotABlock;

impl Block {
    /// Whether the address is one of the block's. IPv4 inside IPv6 counts as IPv4.
    pub fn holds(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let begins = |address| leading(address, self.bits);
        address.is_ipv4() == self.first.is_ipv4() && begins(address) == begins(self.first)
    }
}

/// The leading bits of an address, of which there is at least one.
fn leading(address: IpAddr, bits: u32) -> u128 {
    let whole = match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
        IpAddr::V6(v6) => v6.to_bits(),
    };
    whole >> (128 - bits)
}

impl FromStr for Block {
    type Err = NotABlock;

    fn from_str(text: &str) -> Result<Self, NotABlock> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let first: IpAddr = address.parse().map_err(|_| NotABlock)?;
        let first = first.to_canonical();
        let width = if first.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse::<u32>().map_err(|_| NotABlock)?,
            None => width,
        };
        // A block of everybody trusts everybody, and bits behind the prefix are a slip of the pen.
        let fits = (1..=width).contains(&bits)
            && leading(first, bits) << (width - bits) == leading(first, width);
        fits.then_some(Self { first, bits }).ok_or(NotABlock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_an_address_or_a_prefix_of_addresses() {
        let holds = |block: &str, address: &str| {
            let block: Block = block.parse().unwrap();
            block.holds(address.parse().unwrap())
        };
        assert!(holds("10.0.0.0/8", "10.255.1.2") && !holds("10.0.0.0/8", "11.0.0.0"));
        assert!(holds("10.0.0.0/8", "::ffff:10.255.1.2"));
        assert!(holds("192.0.2.128/25", "192.0.2.200") && !holds("192.0.2.128/25", "192.0.2.1"));
        assert!(holds("2001:db8::/32", "2001:db8:1::1") && !holds("2001:db8::/32", "10.0.0.1"));
        assert!(holds("::1", "::1") && !holds("::1", "::2"));
        for unfit in [
            "",
            "proxy",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "0.0.0.0/0",
            "10.0.0.0/",
            "10.0.0.0/x",
        ] {
            assert_eq!(unfit.parse::<Block>(), Err(NotABlock), "{unfit}");
        }
    }
}
