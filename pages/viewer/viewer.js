// Two pictures in one frame, drawn on one canvas from the tiles that are visible.
//
// Lengths on the canvas are device pixels. A place in the frame is relative: (0, 0) is its upper left corner,
// (1, 1) its lower right one. The frame has the shape and the pixels of the larger picture; `span` is its width
// on the canvas, so span / frame.width is the zoom: 1 means one pixel of the picture on one pixel of the screen.

const TILE = 512;
const UNSMOOTHED_FROM = 2; // zoom from which single pixels are shown as they are
const STEP = 60; // CSS pixels that an arrow key moves
const FAR_STEP = 300;
const TAP_REACH = 6; // CSS pixels that a finger or a mouse may move in a tap
const STACKED_BELOW = 640; // CSS pixels of width, below which side by side would be too narrow
const GAP = 4; // CSS pixels between the two pictures
const DOUBLINGS = 3; // of a difference: 8 times as strong
const NEUTRAL = "#808080"; // behind transparent places when differences are taken, so that these show differences too
const REPORT_AFTER = 450; // ms of rest
const RETRY_AFTER = 5000; // ms
const REQUESTS = 6; // at the same time
const BITMAPS_KEPT = 160; // of 1 MB each; more only while more are visible
const VIEWS = { slider: "Slider", side: "Side by side", difference: "Difference" };

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const rounded = (value) => Number(value.toFixed(5));
const percent = (value) => `${Number((100 * value).toPrecision(value < 1 ? 2 : 3))} %`;

/** Decoded tiles and previews by address: a few are loaded at a time, and the least recently used are forgotten. */
class Bitmaps {
  constructor(onNews) {
    this.onNews = onNews;
    this.ready = new Map();
    this.loading = new Set();
    this.failed = new Set();
    this.room = BITMAPS_KEPT;
  }

  get(url) {
    const bitmap = this.ready.get(url);
    if (bitmap) {
      this.ready.delete(url);
      this.ready.set(url, bitmap);
    }
    return bitmap;
  }

  /** Load these in order. Returns how many are still to come. */
  want(urls) {
    this.room = Math.max(BITMAPS_KEPT, 2 * urls.length);
    const missing = urls.filter((url) => !this.ready.has(url));
    for (const url of missing) {
      if (this.loading.size >= REQUESTS) break;
      if (!this.loading.has(url) && !this.failed.has(url)) this.load(url);
    }
    return missing.length;
  }

  async load(url) {
    this.loading.add(url);
    try {
      const answer = await fetch(url);
      if (!answer.ok) throw new Error(answer.statusText);
      this.keep(url, await createImageBitmap(await answer.blob()));
    } catch {
      this.failed.add(url);
      setTimeout(() => {
        this.failed.delete(url);
        this.onNews();
      }, RETRY_AFTER);
    }
    this.loading.delete(url);
    this.onNews();
  }

  keep(url, bitmap) {
    this.ready.set(url, bitmap);
    for (const [old, unused] of this.ready) {
      if (this.ready.size <= this.room) break;
      this.ready.delete(old);
      unused.close();
    }
  }

  close() {
    this.onNews = () => {};
    for (const bitmap of this.ready.values()) bitmap.close();
    this.ready.clear();
  }
}

/** Where a picture lies in the frame: as large as fits, centred; stretched when the shapes are almost the same. */
function placed(picture, frame) {
  const ratio = picture.width / picture.height / (frame.width / frame.height);
  if (Math.abs(ratio - 1) < 0.005) return { x: 0, y: 0, w: 1, h: 1 };
  const w = Math.min(1, ratio);
  const h = Math.min(1, 1 / ratio);
  return { x: (1 - w) / 2, y: (1 - h) / 2, w, h };
}

function overlap(a, b) {
  const x = Math.max(a.x, b.x);
  const y = Math.max(a.y, b.y);
  return { x, y, w: Math.min(a.x + a.w, b.x + b.w) - x, h: Math.min(a.y + a.h, b.y + b.h) - y };
}

class Viewer {
  constructor(root) {
    const find = (selector) => root.querySelector(selector);
    this.section = find(".viewer");
    this.stage = find(".stage");
    this.canvas = find("canvas");
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.handle = find(".handle");
    this.zoomText = find(".zoom");
    this.live = find(".live");
    this.tags = [find(".tag.left"), find(".tag.right")];
    this.buttons = [...this.section.querySelectorAll("[data-view], [data-size]")];
    this.screen = find(".screen");
    this.spare = document.createElement("canvas"); // the second picture of a difference
    this.patch = document.createElement("canvas"); // pixels that are about to be enlarged
    this.bitmaps = new Bitmaps(() => this.redraw());
    this.pointers = new Map();
    this.at = 50;
    this.observer = new ResizeObserver((entries) => this.resize(entries[0]));
    try {
      this.observer.observe(this.canvas, { box: "device-pixel-content-box" });
    } catch {
      this.observer.observe(this.canvas);
    }
    this.listen();
  }

  /** Take over what Python says: the two pictures, and the view when `start` has changed. */
  update(data, tell) {
    const printZoom = this.data && this.printZoom;
    const isOther = this.data && (this.data.left.key !== data.left.key || this.data.right.key !== data.right.key);
    this.data = data;
    this.tell = tell;
    this.section.classList.toggle("card", data.in_card);
    for (const part of this.section.querySelectorAll(`[data-only=${data.in_card ? "page" : "card"}]`)) part.remove();
    this.sides = [data.left, data.right];
    const [left, right] = this.sides;
    this.frame = left.width * left.height > right.width * right.height ? left : right;
    this.background = getComputedStyle(this.stage).backgroundColor;
    this.checks = this.context.createPattern(this.checkered(), "repeat");
    this.sides.forEach((side, index) => (this.tags[index].textContent = side.label));
    this.canvas.setAttribute("aria-label", data.alt);
    this.stage.setAttribute("aria-label", "The two pictures");
    this.handle.setAttribute("aria-label", data.handle);
    const waits = this.sides.some((side) => !side.levels && !side.problem);
    this.stage.classList.toggle("waiting", waits);
    if (this.start !== data.start) {
      this.start = data.start;
      this.adopt(data.view);
    } else if (this.isPrintSize && this.printZoom !== printZoom) {
      this.resizeTo("print");
    } else if (isOther) {
      this.report();
    }
    this.redraw();
  }

  adopt(view) {
    clearTimeout(this.timer);
    this.isPrintSize = false;
    this.view = view.view;
    this.at = view.at;
    this.span = view.zoom === null ? null : view.zoom * this.frame.width;
    this.x = view.x;
    this.y = view.y;
    this.zoomedAt = null;
  }

  close() {
    clearTimeout(this.timer);
    cancelAnimationFrame(this.pending);
    this.observer.disconnect();
    this.bitmaps.close();
  }

  // Geometry

  resize(entry) {
    const exact = entry.devicePixelContentBoxSize?.[0];
    const ratio = window.devicePixelRatio;
    const width = exact?.inlineSize ?? Math.round(entry.contentRect.width * ratio);
    const height = exact?.blockSize ?? Math.round(entry.contentRect.height * ratio);
    if (width === this.canvas.width && height === this.canvas.height) return;
    this.canvas.width = this.spare.width = width;
    this.canvas.height = this.spare.height = height;
    this.draw(); // at once: setting the size has emptied the canvas
  }

  get ratio() {
    return this.canvas.width / (this.canvas.clientWidth || 1);
  }

  get isStacked() {
    return this.canvas.clientWidth < STACKED_BELOW;
  }

  /** The rectangles in which the frame is shown: two of the same size for side by side, otherwise one. */
  panels() {
    const { width, height } = this.canvas;
    if (this.view !== "side") return [{ x: 0, y: 0, w: width, h: height }];
    const gap = Math.round(GAP * this.ratio);
    if (this.isStacked) {
      const h = Math.floor((height - gap) / 2);
      return [0, height - h].map((y) => ({ x: 0, y, w: width, h }));
    }
    const w = Math.floor((width - gap) / 2);
    return [0, width - w].map((x) => ({ x, y: 0, w, h: height }));
  }

  get shape() {
    return this.frame.height / this.frame.width;
  }

  get fitSpan() {
    const [panel] = this.panels();
    return Math.min(panel.w, panel.h / this.shape);
  }

  get shownSpan() {
    return this.span ?? this.fitSpan;
  }

  get zoom() {
    return this.shownSpan / this.frame.width;
  }

  get printZoom() {
    return (this.data.screen_ppi ?? 96 * window.devicePixelRatio) / this.data.print_dpi;
  }

  /** Leave no empty space beside a frame that is larger than its panel; a smaller one is centred. */
  keepInside() {
    const [panel] = this.panels();
    const span = this.shownSpan;
    const inside = (value, length, room) => {
      const margin = room / length / 2;
      return margin >= 0.5 ? 0.5 : clamp(value, margin, 1 - margin);
    };
    this.x = inside(this.x, span, panel.w);
    this.y = inside(this.y, span * this.shape, panel.h);
  }

  boxIn(panel) {
    const w = this.shownSpan;
    const h = w * this.shape;
    return { x: panel.x + Math.round(panel.w / 2 - this.x * w), y: panel.y + Math.round(panel.h / 2 - this.y * h), w, h };
  }

  // Changing the view

  moveBy(right, down) {
    this.x += right / this.shownSpan;
    this.y += down / (this.shownSpan * this.shape);
    this.changed();
  }

  /** Zoom so that what is under the anchor (relative to the middle of its panel) stays there. */
  zoomTo(zoom, anchor = { x: 0, y: 0 }) {
    const before = this.shownSpan;
    const fit = this.fitSpan / this.frame.width;
    const after = clamp(zoom, Math.min(fit, 1) / 2, Math.max(fit, this.data.codec.largest_zoom)) * this.frame.width;
    this.x += anchor.x / before - anchor.x / after;
    this.y += (anchor.y / before - anchor.y / after) / this.shape;
    this.span = after;
    this.isPrintSize = false;
    this.changed();
  }

  fit() {
    if (this.span !== null) this.zoomedAt = { x: this.x, y: this.y };
    this.span = null;
    this.isPrintSize = false;
    this.x = this.y = 0.5;
    this.changed();
  }

  /** 100 %, where the picture was zoomed last. */
  full() {
    if (this.span === null) Object.assign(this, this.zoomedAt);
    this.zoomTo(1);
  }

  resizeTo(name) {
    if (name === "fit") this.fit();
    if (name === "full") this.full();
    if (name === "print") {
      this.zoomTo(this.printZoom);
      this.isPrintSize = true; // until the zoom is changed, it follows the page's print DPI and screen
    }
    if (name === "in") this.zoomTo(this.zoom * Math.SQRT2);
    if (name === "out") this.zoomTo(this.zoom / Math.SQRT2);
  }

  show(view) {
    this.view = view;
    this.changed();
  }

  /** Among other things on a page: what scrolls the page is left to the page. */
  get isPassedBy() {
    return this.data.in_card && !this.fillsScreen;
  }

  get fillsScreen() {
    return this.section.matches(":fullscreen");
  }

  fillScreen() {
    if (this.fillsScreen) document.exitFullscreen();
    else this.section.requestFullscreen();
  }

  changed() {
    this.redraw();
    this.report();
  }

  /** Tell Python and the address, once the view has rested. */
  report() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.pointers.size) return this.report();
      const zoom = this.span === null ? null : rounded(this.zoom);
      const view = { view: this.view, at: this.at, zoom, x: rounded(this.x), y: rounded(this.y) };
      this.live.textContent = this.inWords();
      if (!this.data.in_card) this.address(view);
      this.tell("view", view);
    }, REPORT_AFTER);
  }

  /** Write the address at once and in place, so that Back leaves the page instead of undoing each movement. */
  address(view) {
    const { usual, with_zoom: withZoom } = this.data.codec;
    const parameters = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(view)) {
      const isMeant = withZoom.includes(name) ? view.zoom !== null : value !== usual[name];
      if (isMeant) parameters.set(name, value);
      else parameters.delete(name);
    }
    history.replaceState(history.state, "", `${location.pathname}?${parameters}`);
  }

  inWords() {
    const place = this.span === null ? "" : `, ${percent(this.x)} across, ${percent(this.y)} down`;
    const split = this.view === "slider" ? ` at ${this.at} %` : "";
    return `${VIEWS[this.view]}${split}, ${this.zoomText.textContent}${place}`;
  }

  // Input

  listen() {
    for (const button of this.buttons) {
      button.onclick = () => (button.dataset.view ? this.show(button.dataset.view) : this.resizeTo(button.dataset.size));
    }
    this.screen.parentElement.hidden = !document.fullscreenEnabled;
    this.screen.onclick = () => this.fillScreen();
    this.section.onfullscreenchange = () => this.screen.setAttribute("aria-pressed", this.fillsScreen);
    this.handle.oninput = () => {
      this.at = Number(this.handle.value);
      this.changed();
    };
    this.section.onkeydown = (event) => this.key(event);
    this.stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.stage.onpointerdown = (event) => this.down(event);
    this.stage.onpointermove = (event) => this.move(event);
    this.stage.onpointerup = (event) => {
      const isTap = this.pressed && this.pointers.has(event.pointerId);
      this.up(event);
      if (isTap && this.data.in_card) this.tap(event);
    };
    this.stage.onpointercancel = (event) => this.up(event);
    this.stage.ondblclick = (event) => {
      if (event.target === this.handle || this.data.in_card) return;
      if (Math.abs(this.zoom - 1) < 0.001) this.fit();
      else this.zoomTo(1, this.anchor(event));
    };
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = (event.shiftKey ? FAR_STEP : STEP) * this.ratio;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const sizes = { "+": "in", "=": "in", "-": "out", "−": "out", 1: "full", f: "fit", p: "print" };
    const meant = { ...sizes, s: "slider", b: "side", d: "difference" };
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (name in moves) {
      if (event.target === this.handle) return; // it moves itself
      this.moveBy(...moves[name]);
    } else {
      const button = this.buttons.find(({ dataset }) => (dataset.size ?? dataset.view) === meant[name]);
      if (!button?.isConnected) return; // a key does what its button does, and a card has fewer of them
      button.click();
    }
    event.preventDefault();
    event.stopPropagation();
  }

  wheel(event) {
    if (this.isPassedBy && !event.ctrlKey) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    // A pinch on a touchpad arrives as a wheel with Ctrl, in small steps.
    const speed = event.ctrlKey ? 100 : 400;
    this.zoomTo(this.zoom * 2 ** clamp((-event.deltaY * lines) / speed, -1, 1), this.anchor(event));
  }

  down(event) {
    if (event.target === this.handle || event.button !== 0) return;
    this.stage.setPointerCapture(event.pointerId);
    this.pressed = this.pointers.size ? null : this.point(event);
    this.pointers.set(event.pointerId, this.point(event));
    this.stage.classList.add("dragged");
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = this.point(event);
    if (this.pressed && Math.hypot(now.x - this.pressed.x, now.y - this.pressed.y) > TAP_REACH * this.ratio) {
      this.pressed = null;
    }
    if (this.pointers.size === 1) {
      this.moveBy(before.x - now.x, before.y - now.y);
    } else if (this.pointers.size === 2) {
      const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
      const distance = (point) => Math.hypot(point.x - other.x, point.y - other.y) || 1;
      const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
      this.moveBy((before.x - now.x) / 2, (before.y - now.y) / 2);
      this.zoomTo((this.zoom * distance(now)) / distance(before), this.fromMiddle(middle));
    }
    this.pointers.set(event.pointerId, now);
  }

  up(event) {
    this.pointers.delete(event.pointerId);
    if (!this.pointers.size) this.stage.classList.remove("dragged");
  }

  /** The whole picture, or the place that was tapped at 100 %. */
  tap(event) {
    if (this.span === null) this.zoomTo(1, this.anchor(event));
    else this.fit();
  }

  point(event) {
    const edge = this.canvas.getBoundingClientRect();
    return { x: (event.clientX - edge.left) * this.ratio, y: (event.clientY - edge.top) * this.ratio };
  }

  anchor(event) {
    return this.fromMiddle(this.point(event));
  }

  /** A point of the canvas relative to the middle of the panel in which it lies. */
  fromMiddle({ x, y }) {
    const panels = this.panels();
    const panel = panels.find((each) => overlap(each, { x, y, w: 1, h: 1 }).w > 0 && y < each.y + each.h && y >= each.y);
    const { x: left, y: top, w, h } = panel ?? panels[0];
    return { x: x - left - w / 2, y: y - top - h / 2 };
  }

  /** Nobody who looks at something else is taken away from it. */
  comeIntoView() {
    const isSeen = this.section.getBoundingClientRect().top < window.innerHeight;
    if (isSeen) this.section.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  // Drawing

  redraw() {
    this.stage.setAttribute("aria-busy", true); // until it is drawn with nothing missing
    cancelAnimationFrame(this.pending);
    this.pending = requestAnimationFrame(() => this.draw());
  }

  draw() {
    if (!this.data || !this.canvas.width || !this.canvas.height) return;
    this.keepInside();
    this.showState();
    const { context } = this;
    const wanted = [];
    context.globalCompositeOperation = "source-over";
    context.fillStyle = this.background;
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    const panels = this.panels();
    if (this.view === "side") {
      this.sides.forEach((side, index) => {
        this.paint(context, side, this.boxIn(panels[index]), panels[index], this.checks, wanted);
      });
    } else {
      const [panel] = panels;
      const box = this.boxIn(panel);
      if (this.view === "slider") {
        const cut = Math.round((panel.w * this.at) / 100);
        this.paint(context, this.sides[0], box, { ...panel, w: cut }, this.checks, wanted);
        this.paint(context, this.sides[1], box, { ...panel, x: cut, w: panel.w - cut }, this.checks, wanted);
      } else {
        this.paintDifference(box, panel, wanted);
      }
    }
    wanted.sort((a, b) => a.distance - b.distance);
    const missing = this.bitmaps.want([...new Set(wanted.map((each) => each.url))]);
    this.stage.setAttribute("aria-busy", missing > 0);
  }

  showState() {
    const { classList, style } = this.stage;
    for (const view of Object.keys(VIEWS)) classList.toggle(view, view === this.view);
    classList.toggle("stacked", this.isStacked);
    classList.toggle("whole", this.shownSpan <= this.fitSpan);
    this.section.classList.toggle("fitted", this.span === null);
    style.setProperty("--at", `${this.at}%`);
    if (Number(this.handle.value) !== this.at) this.handle.value = this.at;
    const is = (zoom) => Math.abs(this.zoom / zoom - 1) < 0.001;
    const pressed = { fit: this.span === null, full: is(1), print: is(this.printZoom) };
    for (const button of this.buttons) {
      const { view, size } = button.dataset;
      if (view) button.setAttribute("aria-pressed", view === this.view);
      else if (size in pressed) button.setAttribute("aria-pressed", pressed[size]);
    }
    const zooms = this.sides.map((side) => (this.shownSpan * placed(side, this.frame).w) / side.width);
    const [left, right] = zooms.map(percent);
    this.zoomText.textContent = left === right ? right : `Left ${left} · right ${right}`;
  }

  paintDifference(box, panel, wanted) {
    const { canvas, context, spare } = this;
    const [left, right] = this.sides.map((side) => this.boxOf(side, box));
    const both = overlap(overlap(left, right), panel);
    if (both.w <= 0 || both.h <= 0) return;
    const second = spare.getContext("2d", { alpha: false });
    this.paint(context, this.sides[0], box, both, NEUTRAL, wanted);
    this.paint(second, this.sides[1], box, both, NEUTRAL, wanted);
    context.save();
    context.beginPath();
    context.rect(both.x, both.y, both.w, both.h);
    context.clip();
    context.globalCompositeOperation = "difference";
    context.drawImage(spare, 0, 0);
    context.globalCompositeOperation = "lighter";
    for (let time = 0; time < DOUBLINGS; time += 1) context.drawImage(canvas, 0, 0);
    context.restore();
  }

  boxOf(side, box) {
    const place = placed(side, this.frame);
    return { x: box.x + place.x * box.w, y: box.y + place.y * box.h, w: place.w * box.w, h: place.h * box.h };
  }

  /** Draw one picture into its part of the canvas, and note what has to be loaded for it. */
  paint(context, side, frameBox, clip, backdrop, wanted) {
    const box = this.boxOf(side, frameBox);
    const seen = overlap(box, clip);
    if (seen.w <= 0 || seen.h <= 0) return;
    const scale = { x: box.w / side.width, y: box.h / side.height };
    const isSmooth = this.zoom < UNSMOOTHED_FROM;
    context.save();
    context.beginPath();
    context.rect(seen.x, seen.y, seen.w, seen.h);
    context.clip();
    // What has not come yet is not transparent.
    context.fillStyle = this.bitmaps.ready.has(side.preview) ? backdrop : this.background;
    context.fillRect(seen.x, seen.y, seen.w, seen.h);
    context.imageSmoothingEnabled = isSmooth;
    context.imageSmoothingQuality = "high";
    // The part of the picture that is seen, in its own pixels, with a margin for the smoothing.
    const margin = 3;
    const left = Math.max(0, Math.floor((seen.x - box.x) / scale.x) - margin);
    const top = Math.max(0, Math.floor((seen.y - box.y) / scale.y) - margin);
    const right = Math.min(side.width, Math.ceil((seen.x + seen.w - box.x) / scale.x) + margin);
    const bottom = Math.min(side.height, Math.ceil((seen.y + seen.h - box.y) / scale.y) + margin);
    const part = { x: left, y: top, w: right - left, h: bottom - top };
    if (isSmooth && Math.max(scale.x, scale.y) > 1) {
      // Put together first and then enlarged, or the seams between tiles would show.
      this.patch.width = part.w;
      this.patch.height = part.h;
      const origin = { x: -part.x, y: -part.y };
      this.paintTiles(this.patch.getContext("2d"), side, origin, { x: 1, y: 1 }, part, wanted);
      const [x, y] = [box.x + part.x * scale.x, box.y + part.y * scale.y];
      context.drawImage(this.patch, x, y, part.w * scale.x, part.h * scale.y);
    } else {
      this.paintTiles(context, side, box, scale, part, wanted);
    }
    context.restore();
  }

  /** Each tile of the part, or the same area from a coarser level or, failing that, from the preview. */
  paintTiles(context, side, origin, scale, part, wanted) {
    const preview = this.bitmaps.get(side.preview);
    wanted.push({ url: side.preview, distance: -1 });
    const whole = (bitmap) => ({ bitmap, x: 0, y: 0, unit: { x: side.width / bitmap.width, y: side.height / bitmap.height } });
    if (!side.levels) {
      if (preview) drawPart(context, whole(preview), part, origin, scale);
      return;
    }
    const level = clamp(Math.floor(-Math.log2(Math.max(scale.x, scale.y)) + 1e-6), 0, side.levels - 1);
    const size = TILE * 2 ** level;
    const middle = { x: part.x + part.w / 2, y: part.y + part.h / 2 };
    for (let row = Math.floor(part.y / size); row * size < part.y + part.h; row += 1) {
      for (let column = Math.floor(part.x / size); column * size < part.x + part.w; column += 1) {
        const area = overlap({ x: column * size, y: row * size, w: size, h: size }, { x: 0, y: 0, w: side.width, h: side.height });
        const distance = Math.hypot(area.x + area.w / 2 - middle.x, area.y + area.h / 2 - middle.y) * scale.x;
        wanted.push({ url: tileUrl(side, level, column, row), distance });
        const found = this.coarsened(side, level, column, row) ?? (preview && whole(preview));
        if (found) drawPart(context, found, area, origin, scale);
      }
    }
  }

  /** The tile, or the next coarser one that contains it. */
  coarsened(side, wanted, column, row) {
    for (let level = wanted; level < side.levels; level += 1) {
      const [across, down] = [column, row].map((place) => Math.floor(place / 2 ** (level - wanted)));
      const bitmap = this.bitmaps.get(tileUrl(side, level, across, down));
      const unit = 2 ** level;
      if (bitmap) return { bitmap, x: across * TILE * unit, y: down * TILE * unit, unit: { x: unit, y: unit } };
    }
    return null;
  }

  checkered() {
    const pattern = document.createElement("canvas");
    pattern.width = pattern.height = 32;
    const context = pattern.getContext("2d");
    context.fillStyle = "#c8c8c8";
    context.fillRect(0, 0, 32, 32);
    context.fillStyle = "#e8e8e8";
    context.fillRect(0, 0, 16, 16);
    context.fillRect(16, 16, 16, 16);
    return pattern;
  }
}

function tileUrl(side, level, column, row) {
  return `${side.tiles}/${level}/${column}_${row}`;
}

/** Draw an area of a picture (in its pixels) from a bitmap that begins at (x, y) and has one pixel per `unit`. */
function drawPart(context, { bitmap, x, y, unit }, area, origin, scale) {
  // Whole pixels of the canvas, so that no seam shows between neighbours.
  const left = Math.round(origin.x + area.x * scale.x);
  const top = Math.round(origin.y + area.y * scale.y);
  const right = Math.round(origin.x + (area.x + area.w) * scale.x);
  const bottom = Math.round(origin.y + (area.y + area.h) * scale.y);
  context.drawImage(
    bitmap,
    (area.x - x) / unit.x,
    (area.y - y) / unit.y,
    area.w / unit.x,
    area.h / unit.y,
    left,
    top,
    right - left,
    bottom - top,
  );
}

const viewers = new WeakMap();

export default function ({ parentElement, data, setStateValue }) {
  const isNew = !viewers.has(parentElement);
  if (isNew) viewers.set(parentElement, new Viewer(parentElement));
  const viewer = viewers.get(parentElement);
  viewer.update(data, setStateValue);
  if (isNew && data.arrives) viewer.comeIntoView();
  return () => {
    viewer.close();
    viewers.delete(parentElement);
  };
}
