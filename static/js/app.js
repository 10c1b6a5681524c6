/* The entry point of every page. The module of a controller is fetched when an element first names it. */
import { initFocus } from "./focus.js";
import { initFormButtons } from "./form_buttons.js";
import { startControllers } from "./registry.js";
import { initRequests } from "./request.js";

initRequests();
initFocus();
initFormButtons();
startControllers({
  calendar: () => import("./controllers/calendar.js"),
  composer: () => import("./controllers/composer.js"),
  draft: () => import("./controllers/draft.js"),
  entry_edit: () => import("./controllers/entry_edit.js"),
  heatmap: () => import("./controllers/heatmap.js"),
  leave_guard: () => import("./controllers/leave_guard.js"),
  menu: () => import("./controllers/menu.js"),
  midnight: () => import("./controllers/midnight.js"),
  mobile_sheet: () => import("./controllers/mobile_sheet.js"),
  password_strength: () => import("./controllers/password_strength.js"),
  recap: () => import("./controllers/recap.js"),
  recovery_code: () => import("./controllers/recovery_code.js"),
  recovery_confirm: () => import("./controllers/recovery_confirm.js"),
  search: () => import("./controllers/search.js"),
  search_dialog: () => import("./controllers/search_dialog.js"),
  shortcuts: () => import("./controllers/shortcuts.js"),
  socket: () => import("./controllers/socket.js"),
  time_zone: () => import("./controllers/time_zone.js"),
  traces: () => import("./controllers/traces.js"),
  undo: () => import("./controllers/undo.js"),
  vault: () => import("./controllers/vault.js"),
});
