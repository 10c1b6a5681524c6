/* The entry point of every page. What every page of a diary needs is in everyday.js, which is served as one file with
all that it imports; the module of another controller is fetched when an element first names it. */
import { start } from "./everyday.js";

start({
  entry_edit: () => import("./controllers/entry_edit.js"),
  facts: () => import("./controllers/facts.js"),
  folder_upload: () => import("./controllers/folder_upload.js"),
  heatmap: () => import("./controllers/heatmap.js"),
  leave_guard: () => import("./controllers/leave_guard.js"),
  new_note: () => import("./controllers/new_note.js"),
  password_strength: () => import("./controllers/password_strength.js"),
  recovery_code: () => import("./controllers/recovery_code.js"),
  recovery_confirm: () => import("./controllers/recovery_confirm.js"),
  search: () => import("./controllers/search.js"),
});
