// CIE Lab, D65, over sRGB: as the server has it.

const WHITE = [0.9504559, 1, 1.0890578];
const curve = (t) => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 * t + 16) / 116);
const uncurve = (t) => (t > 6 / 29 ? t ** 3 : (116 * t - 16) * (27 / 24389));
const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const encoded = (c) => (c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055);

// R, G, B of 0 to 255 to L*, a*, b*.
export function rgbToLab([red, green, blue]) {
  const [r, g, b] = [red, green, blue].map((value) => linear(value / 255));
  const x = curve((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / WHITE[0]);
  const y = curve(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = curve((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / WHITE[2]);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

// L*, a*, b* to R, G, B of 0 to 255, and whether the colour exists.
export function labToRgb([lightness, a, b]) {
  const y = (lightness + 16) / 116;
  const [X, Y, Z] = [uncurve(y + a / 500) * WHITE[0], uncurve(y), uncurve(y - b / 200) * WHITE[2]];
  const rgb = [
    3.2404542 * X - 1.5371385 * Y - 0.4985314 * Z,
    -0.969266 * X + 1.8760108 * Y + 0.041556 * Z,
    0.0556434 * X - 0.2040259 * Y + 1.0572252 * Z,
  ].map(encoded);
  const exists = rgb.every((value) => value >= -0.002 && value <= 1.002);
  return { rgb: rgb.map((value) => Math.round(255 * Math.min(Math.max(0, value), 1))), exists };
}

export const css = (rgb) => `rgb(${rgb.join(" ")})`;
