/* The controllers that are always needed. The server joins this file with all that it imports. */
import calendar from "./controllers/calendar.js";
import composer from "./controllers/composer.js";
import draft from "./controllers/draft.js";
import menu from "./controllers/menu.js";
import midnight from "./controllers/midnight.js";
import mobile_sheet from "./controllers/mobile_sheet.js";
import recap from "./controllers/recap.js";
import search_dialog from "./controllers/search_dialog.js";
import shortcuts from "./controllers/shortcuts.js";
import socket from "./controllers/socket.js";
import time_zone from "./controllers/time_zone.js";
import traces from "./controllers/traces.js";
import undo from "./controllers/undo.js";
import vault from "./controllers/vault.js";
import { initFocus } from "./focus.js";
import { initFormButtons } from "./form_buttons.js";
import { startControllers } from "./registry.js";
import { initRequests } from "./request.js";

const CONTROLLERS = {
  calendar,
  composer,
  draft,
  menu,
  midnight,
  mobile_sheet,
  recap,
  search_dialog,
  shortcuts,
  socket,
  time_zone,
  traces,
  undo,
  vault,
};

/* `loaders`: for each other controller, a function that fetches its module. */
export function start(loaders) {
  initRequests();
  initFocus();
  initFormButtons();
  startControllers(CONTROLLERS, loaders);
}
