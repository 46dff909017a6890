// Numbers, times and units as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const count = number => whole.format(number);

export const plural = (number, one, many) => `${count(number)} ${number === 1 ? one : many}`;

export function rate(perSecond) {
  if (!perSecond) return "0";
  return perSecond < 10 ? perSecond.toFixed(1) : count(perSecond);
}

// A span of seconds in its largest sensible unit.
export function span(seconds) {
  if (seconds === undefined || seconds === null) return "–";
  if (seconds < 10 && !Number.isInteger(seconds)) return `${Math.max(0, seconds).toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

// Whole seconds: it changes once a second at most.
export function ago(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  return seconds < 2 ? "now" : `${seconds < 10 ? `${seconds} s` : span(seconds)} ago`;
}

const two = number => String(number).padStart(2, "0");

export function clock(milliseconds, withSeconds = false) {
  const time = new Date(milliseconds);
  return `${two(time.getHours())}:${two(time.getMinutes())}${withSeconds ? `:${two(time.getSeconds())}` : ""}`;
}

// With the day where it is not today.
export function moment(milliseconds, now) {
  const isToday = new Date(milliseconds).toDateString() === new Date(now).toDateString();
  return isToday ? clock(milliseconds) : `${new Date(milliseconds).toLocaleDateString("en", { weekday: "short" })} ${clock(milliseconds)}`;
}

export function dollars(amount) {
  if (amount === 0) return "$0.00";
  return amount < 0.01 ? "under $0.01" : `$${amount.toFixed(2)}`;
}

export function power(watts) {
  if (watts === undefined) return "–";
  return watts >= 10000 ? `${(watts / 1000).toFixed(1)} kW` : `${count(watts)} W`;
}

// The values that devices report, in the order of the page.
export const metrics = {
  temperature: { name: "Temperature", unit: "°C", digits: 1 },
  humidity: { name: "Humidity", unit: "%", digits: 0 },
  co2: { name: "CO₂", unit: "ppm", digits: 0 },
  pressure: { name: "Pressure", unit: "hPa", digits: 1 },
  tvoc: { name: "Organic compounds", unit: "ppb", digits: 0 },
  processor: { name: "Processor", unit: "°C", digits: 1 },
  power: { name: "Solar power", unit: "W", digits: 0 },
};

export function value(metric, number) {
  return number === undefined ? "–" : `${number.toLocaleString("en", {
    minimumFractionDigits: metrics[metric].digits, maximumFractionDigits: metrics[metric].digits,
  })} ${metrics[metric].unit}`;
}
