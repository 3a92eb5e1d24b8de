//! What each program costs the kernel to accept: every program of the object loaded, none attached.
//!
//! A verifier gives up at 1,000,000 instructions, and what one needs differs from kernel to kernel, so the number is kept
//! under watch.

use std::time::{Duration, Instant};

use aya::programs::{Program, ProgramError};

use super::Error;
use super::object::{link, open};

/// What the kernel did to accept a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramCost {
    /// The program's name in the kernel object.
    pub program: String,
    /// Instructions that the verifier went through, repeated ones included.
    pub verified_insns: u32,
    /// From the request to the loaded program, the compilation to machine code included.
    pub load: Duration,
}

/// Loads every program of the kernel object and tells what each cost, by name. They are gone when it returns.
///
/// # Errors
/// The first program that the kernel refused, or whose cost it does not tell.
pub fn program_costs() -> Result<Vec<ProgramCost>, Error> {
    let mut ebpf = open()?;
    let statistics = link(&ebpf).map_err(|source| Error::System { what: "link the programs a second time", source })?;
    let mut costs = Vec::new();
    for (name, program) in ebpf.programs_mut() {
        let refused = |source| Error::Cost { program: name.to_owned(), source: Box::new(source) };
        let begun = Instant::now();
        load(program).map_err(refused)?;
        let load = begun.elapsed();
        // With the program since Linux 5.16 (`bpf_prog_info.verified_insns`); before, the log has it.
        let verified_insns = match program.info().map_err(refused)?.verified_instruction_count() {
            Some(insns) => insns,
            None => statistics.verified_insns(name).map_err(|source| refused(ProgramError::IOError(source)))?,
        };
        costs.push(ProgramCost { program: name.to_owned(), verified_insns, load });
    }
    costs.sort_by(|a, b| a.program.cmp(&b.program));
    Ok(costs)
}

/// One arm for each type of program that the object has.
fn load(program: &mut Program) -> Result<(), ProgramError> {
    match program {
        Program::CgroupSkb(program) => program.load(),
        Program::CgroupSock(program) => program.load(),
        Program::CgroupSockAddr(program) => program.load(),
        Program::SockOps(program) => program.load(),
        _ => Err(ProgramError::UnexpectedProgramType),
    }
}
