//! x
#[derive(clap::Args)]
pub(crate) struct Arguments {}
pub(crate) fn main(_: Arguments) -> anyhow::Result<()> {
    Ok(())
}
