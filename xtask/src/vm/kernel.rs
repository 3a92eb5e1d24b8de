//! A Debian kernel in target/vm: found in the mirror's index, downloaded, unpacked into the form that an emulator starts
//! at once, and kept. Nothing is installed.
//!
//! Names of kernel packages change with each build, so the newest of a series is taken when there is none yet.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};

use super::series::Series;
use crate::{apt::Apt, step::Step};

/// The modules that a distribution would load by itself when they are needed, each after those that it needs itself.
const MODULES: [&str; 2] = ["inet_diag", "tcp_diag"];
/// Change it when what is unpacked changes, and every kernel is fetched anew.
const RECIPE: &str = "recipe 1";

/// A kernel, ready to be started.
#[derive(Debug)]
pub(super) struct Kernel {
    /// What `uname -r` will say.
    pub(super) release: String,
    /// An ELF file without compression: an emulated processor takes long to unpack one.
    pub(super) image: PathBuf,
    /// In the order in which they have to be loaded.
    pub(super) modules: Vec<PathBuf>,
}

/// The kernel of a series in `directory`, fetched first when it is not there.
pub(super) fn provide(series: &Series, directory: &Path, step: &Step) -> Result<Kernel> {
    if let Some(kernel) = present(directory) {
        return Ok(kernel);
    }
    if directory.exists() {
        fs::remove_dir_all(directory).with_context(|| format!("remove {}", directory.display()))?;
    }
    let archives = directory.join("archives");
    fs::create_dir_all(&archives).with_context(|| format!("make {}", archives.display()))?;
    let apt = Apt::of_suite(directory.join("apt"), series.archive, series.suite)?;
    apt.update(step)?;
    let release = newest(&apt.names(step, &series.pattern())?).with_context(|| {
        format!("{} of the mirror has no kernel {} for virtual machines", series.suite, series.name)
    })?;
    // From 7.0 on Debian has image and modules in packages of their own.
    let parts = apt.names(step, &format!("^linux-(binary|modules)-{}$", release.replace(['.', '+'], ".")))?;
    let packages = if parts.is_empty() { vec![format!("linux-image-{release}")] } else { parts };
    apt.download(step, &packages, &archives)?;
    let unpacked = directory.join("unpacked");
    for archive in files_below(&archives)? {
        step.at(format!("unpack {}", archive.display()));
        step.capture(Command::new("dpkg-deb").arg("-x").arg(&archive).arg(&unpacked))?;
    }
    let files = files_below(&unpacked)?;
    take_image(&files, directory)?;
    take_modules(&files, directory)?;
    for done in [archives, unpacked, directory.join("apt")] {
        fs::remove_dir_all(&done).with_context(|| format!("remove {}", done.display()))?;
    }
    fs::write(stamp(directory), format!("{RECIPE}\n{release}\n")).context("write the kernel's stamp")?;
    present(directory).context("the kernel that was just unpacked is not there")
}

fn stamp(directory: &Path) -> PathBuf {
    directory.join("complete")
}

/// The stamp is written last, so what it stands for is whole.
fn present(directory: &Path) -> Option<Kernel> {
    let text = fs::read_to_string(stamp(directory)).ok()?;
    let release = text.strip_prefix(RECIPE)?.trim().to_owned();
    let modules = files_below(&directory.join("modules")).ok()?;
    Some(Kernel { release, image: directory.join("vmlinux"), modules })
}

/// The release in the newest of `linux-image-RELEASE` names: numbers count as numbers.
fn newest(packages: &[String]) -> Option<String> {
    let numbers = |release: &str| -> Vec<u64> {
        release.split(|character: char| !character.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
    };
    let releases = packages.iter().filter_map(|package| package.strip_prefix("linux-image-"));
    releases.max_by_key(|release| numbers(release)).map(str::to_owned)
}

fn take_image(files: &[PathBuf], directory: &Path) -> Result<()> {
    let is_image = |file: &&PathBuf| name(file).starts_with("vmlinuz");
    let image = files.iter().find(is_image).context("the package holds no kernel")?;
    let bytes = fs::read(image).with_context(|| format!("read {}", image.display()))?;
    let payload = payload(&bytes).with_context(|| format!("{} is no x86 kernel", image.display()))?;
    let packed = directory.join("payload");
    fs::write(&packed, payload).with_context(|| format!("write {}", packed.display()))?;
    let unpacked = directory.join("vmlinux");
    let packer = match payload {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
        [0x02, 0x21, 0x4c, 0x18, ..] => "lz4",
        [0xfd, b'7', b'z', ..] => "xz",
        _ => bail!("{} is packed in a way that is not known here", image.display()),
    };
    unpack(packer, &packed, &unpacked)?;
    fs::remove_file(&packed).with_context(|| format!("remove {}", packed.display()))?;
    let begin = fs::read(&unpacked).with_context(|| format!("read {}", unpacked.display()))?;
    ensure!(begin.starts_with(b"\x7fELF"), "{} holds no ELF file", image.display());
    Ok(())
}

/// The packed kernel inside of a bzImage (Documentation/arch/x86/boot.rst, protocol 2.08), without the four bytes at its end
/// that tell its unpacked size.
fn payload(image: &[u8]) -> Option<&[u8]> {
    let number = |at: usize| {
        let bytes = image.get(at..)?.first_chunk::<4>()?;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    };
    let sectors = match image.get(0x1f1)? {
        0 => 4,
        sectors => usize::from(*sectors),
    };
    let begin = (sectors + 1) * 512 + number(0x248)?;
    image.get(begin..)?.get(..number(0x24c)?.checked_sub(4)?)
}

/// Each becomes `modules/N-NAME.ko`, in the order of loading.
fn take_modules(files: &[PathBuf], directory: &Path) -> Result<()> {
    let modules = directory.join("modules");
    fs::create_dir_all(&modules).with_context(|| format!("make {}", modules.display()))?;
    for (number, module) in MODULES.iter().enumerate() {
        let plain = format!("{module}.ko");
        let found = files.iter().find(|file| name(file).strip_prefix(&plain).is_some_and(|rest| !rest.contains("ko")));
        let found = found.with_context(|| format!("the package holds no module {module}"))?;
        let to = modules.join(format!("{number}-{plain}"));
        match found.extension().and_then(|extension| extension.to_str()) {
            Some("xz") => unpack("xz", found, &to)?,
            Some("zst") => unpack("zstd", found, &to)?,
            Some("ko") => fs::copy(found, &to).map(drop).with_context(|| format!("copy {}", found.display()))?,
            Some(_) | None => bail!("{} is packed in a way that is not known here", found.display()),
        }
    }
    Ok(())
}

fn unpack(packer: &str, from: &Path, to: &Path) -> Result<()> {
    let mut command = Command::new(packer);
    command.arg("-dqc").stdin(File::open(from)?).stdout(File::create(to)?).stderr(Stdio::inherit());
    let status = command.status().with_context(|| format!("start `{packer}`; `cargo xtask test` installs it"))?;
    ensure!(status.success(), "`{packer} -dqc` ended with {status} on {}", from.display());
    Ok(())
}

fn name(file: &Path) -> &str {
    file.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// Every file below a directory, sorted; links are not followed.
fn files_below(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        let entries = fs::read_dir(&directory).with_context(|| format!("list {}", directory.display()))?;
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                directories.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_release_is_found_by_number() {
        let names = ["linux-image-5.10.0-9-cloud-amd64", "linux-image-5.10.0-46-cloud-amd64"].map(str::to_owned);
        assert_eq!(newest(&names).as_deref(), Some("5.10.0-46-cloud-amd64"));
        let names = ["linux-image-7.3.10+deb13-cloud-amd64", "linux-image-7.3.4+deb13-cloud-amd64"].map(str::to_owned);
        assert_eq!(newest(&names).as_deref(), Some("7.3.10+deb13-cloud-amd64"));
        assert_eq!(newest(&[]), None);
    }

    #[test]
    fn a_payload_is_where_the_header_says() {
        let mut image = vec![0u8; 3 * 512 + 100];
        image[0x1f1] = 1;
        image[0x248] = 16;
        image[0x24c] = 4 + 3;
        image[2 * 512 + 16..][..3].copy_from_slice(b"abc");
        assert_eq!(payload(&image), Some(&b"abc"[..]));
        image[0x24c..0x250].fill(0xff);
        assert_eq!(payload(&image), None);
        assert_eq!(payload(&image[..0x200]), None);
        assert_eq!(payload(&[]), None);
    }
}
