//! Compiles libdeflate's compressor so that it can leave a stream open: BFINAL of the last block is written as 0, and the number of
//! bits in the last byte is kept. Without that the last block could only be found by reading every symbol again.
//!
//! The source is that of the crate `libdeflate-sys`, with the changes below. Each text must be there as often as stated, or
//! the build stops: the version of the crate is exact, so that this happens only where somebody changes it.

use std::{env, error::Error, fs, path::PathBuf, process::Command};

/// Texts of `deflate_compress.c`, how often each occurs, and what takes its place.
const CHANGES: [(&str, usize, &str); 4] = [
    (
        "struct libdeflate_compressor {\n",
        1,
        "struct libdeflate_compressor {\n\tbool stays_open;\n\tunsigned end_bits;\n",
    ),
    ("ADD_BITS(is_final_block, 1);", 2, "ADD_BITS(is_final_block && !c->stays_open, 1);"),
    ("bfinal = is_final_block;", 1, "bfinal = is_final_block && !c->stays_open;"),
    ("ASSERT(os.bitcount <= 7);", 1, "c->end_bits = os.bitcount;"),
];

/// The names that `libdeflate-sys` has too, which are ours here.
const RENAMED: [&str; 6] = [
    "libdeflate_alloc_compressor_ex",
    "libdeflate_alloc_compressor",
    "libdeflate_deflate_compress",
    "libdeflate_free_compressor",
    "libdeflate_get_compression_level",
    "libdeflate_deflate_compress_bound",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/open.c");
    napi_build::setup();
    let source = libdeflate_source()?;
    let file = source.join("lib/deflate_compress.c");
    let mut code = fs::read_to_string(&file)?;
    for (text, count, replacement) in CHANGES {
        if code.matches(text).count() != count {
            return Err(format!("{} does not have {count} times: {text}", file.display()).into());
        }
        code = code.replace(text, replacement);
    }
    code += &fs::read_to_string("src/open.c")?;
    let changed = PathBuf::from(env::var("OUT_DIR")?).join("deflate_open.c");
    fs::write(&changed, code)?;
    let mut build = cc::Build::new();
    for name in RENAMED {
        build.define(name, Some(name.replace("libdeflate", "ocislim").as_str()));
    }
    build
        .file(changed)
        .include(&source)
        .include(source.join("lib"))
        .warnings(false)
        .compile("ocislim_deflate");
    Ok(())
}

/// Returns the folder of libdeflate in the sources of the crate `libdeflate-sys`, which cargo has fetched.
fn libdeflate_source() -> Result<PathBuf, Box<dyn Error>> {
    let cargo = env::var("CARGO")?;
    let output = Command::new(cargo).args(["metadata", "--format-version=1", "--offline"]).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let metadata = String::from_utf8(output.stdout)?;
    let manifests = metadata.split("\"manifest_path\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut found = manifests.filter(|path| path.contains("libdeflate-sys-1.26.1/"));
    let manifest = found.next().ok_or("cargo names no sources of libdeflate-sys 1.26.1")?;
    Ok(PathBuf::from(manifest).with_file_name("libdeflate"))
}
