//! Which categories a profession may see (職種別の閲覧範囲), and the table of it that people print.

use std::fmt;

use model::network::{Profession, Profile};
use model::record::{Categories, Category};

/// What the regulation lets a profession see. Nothing for a profession that the network does not
/// admit, and nothing ever for an administrative role: clinical rights do not follow from it.
pub fn rights(profile: &Profile, profession: Profession) -> Categories {
    if profession.is_administrative() || !profile.professions.contains(&profession) {
        return Categories::NONE;
    }
    profile
        .rights
        .get(&profession)
        .copied()
        .unwrap_or(Categories::NONE)
}

/// The rights of all professions as a table: a row per category, a column per profession that the
/// network admits.
pub struct Matrix<'a>(pub &'a Profile);

impl fmt::Display for Matrix<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let professions: Vec<Profession> = self.0.professions.iter().copied().collect();
        write!(out, "{:<16}", "category")?;
        for profession in &professions {
            write!(out, " {}", profession.name())?;
        }
        writeln!(out)?;
        for (category, name) in Category::ALL {
            write!(out, "{name:<16}")?;
            for profession in &professions {
                let mark = if rights(self.0, *profession).contains(category) {
                    "x"
                } else {
                    "-"
                };
                write!(out, " {mark:<width$}", width = profession.name().len())?;
            }
            writeln!(out)?;
        }
        Ok(())
    }
}
