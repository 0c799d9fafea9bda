// Frames, pts and the time on the film's clock.

export class Times {
  constructor({ times, time_base: [numerator, denominator] }) {
    this.list = times.list ?? null;
    this.first = this.list ? this.list[0] : times.first;
    this.step = times.step;
    this.count = this.list ? this.list.length : times.count;
    this.seconds = (pts) => (pts * numerator) / denominator;
  }

  at(index) {
    const within = Math.min(Math.max(0, index), this.count - 1);
    return this.list ? this.list[within] : this.first + within * this.step;
  }

  // The number of the first frame not before pts; the last one's at most.
  indexOf(pts) {
    if (!this.list) {
      const index = Math.ceil((pts - this.first) / this.step - 1e-9);
      return Math.min(Math.max(0, index), this.count - 1);
    }
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.list[middle] < pts) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  timecode(pts) {
    return timecode(this.seconds(pts));
  }
}

export function timecode(seconds) {
  const sign = seconds < 0 ? "-" : "";
  const total = Math.round(Math.abs(seconds) * 1000);
  const pad = (value, width = 2) => String(value).padStart(width, "0");
  const minutes = Math.floor(total / 60000);
  const rest = total % 60000;
  return (
    `${sign}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}:` +
    `${pad(Math.floor(rest / 1000))}.${pad(rest % 1000, 3)}`
  );
}

export function length(seconds) {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
