// Hue around, chroma outward, at one lightness: the colours that a place of the picture can have.

import { css, labToRgb } from "./lab.js";

const MOST = 90; // chroma at the rim

export class Wheel {
  constructor(canvas, changed) {
    Object.assign(this, { canvas, changed, lightness: 60, ab: [40, 25] });
    const pick = (event) => {
      if (event.type === "pointermove" && event.buttons !== 1) return;
      const box = canvas.getBoundingClientRect();
      const [x, y] = [event.clientX - box.left, event.clientY - box.top].map((v) => v / (box.width / 2) - 1);
      const size = Math.max(1, Math.hypot(x, y));
      this.set([(x / size) * MOST, (-y / size) * MOST]);
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      pick(event);
    });
    canvas.addEventListener("pointermove", pick);
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-3, 0], ArrowRight: [3, 0], ArrowUp: [0, 3], ArrowDown: [0, -3] }[event.key];
      if (!step) return;
      this.set([this.ab[0] + step[0], this.ab[1] + step[1]]);
      event.preventDefault();
      event.stopPropagation();
    });
    this.draw();
  }

  get css() {
    return css(labToRgb([this.lightness, ...this.ab]).rgb);
  }

  set(ab, lightness = this.lightness) {
    const size = Math.max(1, Math.hypot(...ab) / 110);
    this.ab = ab.map((value) => value / size);
    this.lightness = Math.min(Math.max(8, lightness), 95);
    this.draw();
    this.changed();
  }

  draw() {
    const { width, height } = this.canvas;
    const context = this.canvas.getContext("2d");
    if (this.drawn !== this.lightness) {
      this.drawn = this.lightness;
      this.disc = context.createImageData(width, height);
      const data = this.disc.data;
      for (let row = 0; row < height; row += 1) {
        for (let column = 0; column < width; column += 1) {
          const x = (column / (width / 2) - 1) * MOST;
          const y = (1 - row / (height / 2)) * MOST;
          if (Math.hypot(x, y) > MOST) continue;
          const { rgb, exists } = labToRgb([this.lightness, x, y]);
          data.set([...rgb, exists ? 255 : 90], 4 * (row * width + column));
        }
      }
    }
    context.putImageData(this.disc, 0, 0);
    const [x, y] = [(this.ab[0] / MOST + 1) * (width / 2), (1 - this.ab[1] / MOST) * (height / 2)];
    for (const [color, size] of [["#000", 8], ["#fff", 6]]) {
      context.strokeStyle = color;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(x, y, size, 0, 2 * Math.PI);
      context.stroke();
    }
  }
}
