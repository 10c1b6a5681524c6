/* A folder beside the zip on the import page: it is made a zip here and sent in its place, since a form sends files
without their folders. */

// Of version control and file managers; see `diary.notes.workspace.files`.
const LEFT_OUT = new Set([".git", "__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"]);

const LOCAL_FILE = 0x04034b50;
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_END = 0x06054b50;
const VERSION = 20;
// Names are UTF-8.
const FLAGS = 0x0800;
const DEFLATED = 8;
// 1 January 1980: the format knows no earlier one, and no time is needed.
const DAY = 0x21;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, number) => {
  let value = number;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function computeCrc(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

async function deflate(bytes) {
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate-raw"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    // An older browser: stored as it is.
    return bytes;
  }
}

function packFields(fields) {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return view.buffer;
}

/* Returns a blob with these files, each a path and a blob; rejects if one cannot be read. */
async function writeZip(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { path, blob } of files) {
    const name = new TextEncoder().encode(path);
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const packed = await deflate(bytes);
    const method = packed === bytes ? 0 : DEFLATED;
    const common = [
      ...[[2, FLAGS], [2, method], [2, 0], [2, DAY]],
      ...[[4, computeCrc(bytes)], [4, packed.length], [4, bytes.length], [2, name.length], [2, 0]],
    ];
    const head = packFields([[4, LOCAL_FILE], [2, VERSION], ...common]);
    const rest = [[2, 0], [2, 0], [2, 0], [4, 0], [4, offset]];
    directory.push(packFields([[4, DIRECTORY_ENTRY], [2, VERSION], [2, VERSION], ...common, ...rest]), name);
    parts.push(head, name, packed);
    offset += head.byteLength + name.length + packed.length;
  }
  const size = directory.reduce((sum, part) => sum + part.byteLength, 0);
  const counts = [[2, files.length], [2, files.length], [4, size], [4, offset], [2, 0]];
  const end = packFields([[4, DIRECTORY_END], [2, 0], [2, 0], ...counts]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

async function pack(chosen) {
  const files = [...chosen]
    .map((blob) => ({ path: blob.webkitRelativePath || blob.name, blob }))
    .filter(({ path }) => !path.split("/").some((part) => LEFT_OUT.has(part)));
  const name = files[0]?.path.split("/")[0] || "folder";
  const holder = new DataTransfer();
  holder.items.add(new File([await writeZip(files)], `${name}.zip`, { type: "application/zip" }));
  return holder.files;
}

export default function attach(form, signal) {
  const folder = form.querySelector("[data-folder]");
  const zip = form.querySelector("input[type=file]:not([data-folder])");
  const problem = form.querySelector("[data-problem]");
  if (!("webkitdirectory" in folder)) return;
  folder.closest(".field").hidden = false;
  let isPacked = false;
  const tell = (sentence) => {
    problem.textContent = sentence;
    problem.hidden = !sentence;
  };
  const choose = (other) => {
    other.value = "";
    isPacked = false;
    zip.required = !folder.files.length;
    tell("");
  };
  folder.addEventListener("change", () => choose(zip), { signal });
  zip.addEventListener("change", () => choose(folder), { signal });
  const submit = async (submitter) => {
    try {
      zip.files = await pack(folder.files);
    } catch {
      tell(problem.dataset.unreadable);
      return;
    }
    if (zip.files[0].size > Number(form.dataset.limit)) {
      zip.value = "";
      tell(problem.dataset.tooBig);
      return;
    }
    isPacked = true;
    // In a task of its own: a form is not submitted again while its event is under way.
    setTimeout(() => form.requestSubmit(submitter));
  };
  form.addEventListener(
    "submit",
    (event) => {
      if (isPacked || !folder.files.length) return;
      event.preventDefault();
      tell("");
      submit(event.submitter);
    },
    { signal },
  );
}
