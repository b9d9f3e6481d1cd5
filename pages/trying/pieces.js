// The whole picture with a frame that can be moved, and what each network makes of the place in the frame.

const STEP = 0.02; // part of the picture that an arrow key moves the frame
const views = new WeakMap();
let seen = 0; // times that it was switched on

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

class Trying {
  constructor(root) {
    this.map = root.querySelector(".map");
    this.image = this.map.querySelector("img");
    this.frame = root.querySelector(".frame");
    this.panels = root.querySelector(".panels");
    this.figures = new Map();
    this.listen();
  }

  update(data, tell) {
    this.arrives ||= data.arrivals > seen;
    seen = data.arrivals;
    if (this.image.complete && this.image.naturalWidth) this.comeIntoView();
    const moved = !this.data || this.data.place !== data.place;
    this.data = data;
    this.tell = tell;
    if (this.image.getAttribute("src") !== data.preview) this.image.src = data.preview;
    this.image.alt = data.alt;
    if (moved) this.put(...data.box);
    const names = data.panels.map((panel) => panel.name);
    for (const [name, figure] of this.figures) {
      if (!names.includes(name)) {
        figure.remove();
        this.figures.delete(name);
      }
    }
    data.panels.forEach((panel, place) => this.show(panel, place));
  }

  comeIntoView() {
    if (this.arrives) this.map.closest(".trying").scrollIntoView({ block: "center" });
    this.arrives = false;
  }

  /** Put the frame round a part of the picture, whose edges are fractions of its sides. */
  put(left, top, right, bottom) {
    this.at = { left, top, width: right - left, height: bottom - top };
    for (const side of ["left", "top", "width", "height"]) this.frame.style[side] = `${100 * this.at[side]}%`;
  }

  moveTo(x, y) {
    const { width, height } = this.at;
    const left = clamp(x - width / 2, 0, Math.max(0, 1 - width));
    const top = clamp(y - height / 2, 0, Math.max(0, 1 - height));
    this.put(left, top, left + width, top + height);
  }

  say() {
    const { left, top, width, height } = this.at;
    this.tell("spot", [left + width / 2, top + height / 2]);
  }

  listen() {
    // Only now is it known how much room the picture takes.
    this.image.addEventListener("load", () => this.comeIntoView());
    const follow = (event) => {
      const box = this.image.getBoundingClientRect();
      this.moveTo((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    };
    this.map.addEventListener("pointerdown", (event) => {
      this.map.setPointerCapture(event.pointerId);
      this.held = event.pointerId;
      follow(event);
    });
    this.map.addEventListener("pointermove", (event) => this.held === event.pointerId && follow(event));
    this.map.addEventListener("pointerup", (event) => {
      if (this.held !== event.pointerId) return;
      this.held = undefined;
      this.say();
    });
    this.map.addEventListener("pointercancel", () => {
      this.held = undefined;
      this.put(...this.data.box);
    });
    this.frame.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!move) return;
      event.preventDefault();
      const { left, top, width, height } = this.at;
      this.moveTo(left + width / 2 + move[0] * STEP, top + height / 2 + move[1] * STEP);
      clearTimeout(this.soon);
      this.soon = setTimeout(() => this.say(), 400);
    });
  }

  show(panel, place) {
    let figure = this.figures.get(panel.name);
    if (!figure) {
      figure = this.made(panel.name);
      this.figures.set(panel.name, figure);
    }
    // A figure that is moved, even to where it is, loses the focus, and the click that is just being made.
    if (this.panels.children[place] !== figure) this.panels.insertBefore(figure, this.panels.children[place] ?? null);
    const [picture, words, choose] = figure.children;
    const [left, top, right, bottom] = this.data.box;
    picture.style.aspectRatio = ((right - left) * this.data.width) / ((bottom - top) * this.data.height);
    picture.disabled = !panel.png;
    picture.setAttribute("aria-label", `${panel.label}, enlarged. Hold to see it without AI.`);
    figure.png = panel.png;
    if (!figure.isHeld) this.draw(figure, panel.png, panel.words);
    words.replaceChildren(Object.assign(document.createElement("strong"), { textContent: panel.label }), panel.about);
    choose.textContent = panel.is_chosen ? "Chosen" : `Use ${panel.label}`;
    choose.setAttribute("aria-pressed", String(panel.is_chosen));
  }

  draw(figure, png, words) {
    const picture = figure.firstElementChild;
    if (!png) {
      picture.replaceChildren(words);
      return;
    }
    const shown = picture.querySelector("img") ?? new Image();
    if (shown.getAttribute("src") !== png) shown.src = png;
    shown.alt = "";
    if (picture.firstChild !== shown) picture.replaceChildren(shown);
  }

  made(name) {
    const figure = document.createElement("figure");
    const picture = Object.assign(document.createElement("button"), { type: "button", className: "picture" });
    const choose = Object.assign(document.createElement("button"), { type: "button", className: "choose" });
    figure.append(picture, document.createElement("figcaption"), choose);
    const before = (event) => {
      if (event.key && event.key !== " ") return;
      event.preventDefault();
      figure.isHeld = figure.png && this.data.original;
      if (figure.isHeld) this.draw(figure, this.data.original);
    };
    const after = () => {
      figure.isHeld = false;
      if (figure.png) this.draw(figure, figure.png);
    };
    for (const kind of ["pointerdown", "keydown"]) picture.addEventListener(kind, before);
    for (const kind of ["pointerup", "pointerleave", "pointercancel", "keyup", "blur"]) {
      picture.addEventListener(kind, after);
    }
    picture.addEventListener("contextmenu", (event) => event.preventDefault());
    choose.addEventListener("click", () => this.tell("choice", name));
    return figure;
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  if (!views.has(parentElement)) views.set(parentElement, new Trying(parentElement));
  views.get(parentElement).update(data, setTriggerValue);
}
