// A histogram as a picture that can also be pointed at, walked through with arrow keys, listened to, and read as a table.

import {h} from './dom.js';

const SVG = 'http://www.w3.org/2000/svg';
const HEIGHT = 168;
const PAD = {top: 14, right: 6, bottom: 24, left: 44};
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TICKS = [MINUTE, 5 * MINUTE, HOUR / 4, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY];
const TICK_WIDTH = 110;   // pixels, at least, from one label to the next
const MOST_ROWS = 500;

function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

const number = (value) => value.toLocaleString('en-GB');

const counted = (value) => `${number(value)} ${value === 1 ? 'event' : 'events'}`;

const EVENTS = {column: 'Events', said: counted, adds: true};   // what a chart counts unless told otherwise

let charts = 0;

/** The least round number that is not less, and whose half is whole. */
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return (power === 1 ? [1, 2, 4, 6, 8, 10] : [1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10]).map((one) => one * power).find((one) => one >= value);
}

/** Intervals of a day or more begin at midnight UTC, so that is how they are written; shorter ones in the reader's own time. */
function writer(step, options) {
  const format = new Intl.DateTimeFormat('en-GB', {...options, ...(step >= DAY && {timeZone: 'UTC', hour: undefined, minute: undefined, second: undefined})});
  return (at) => format.format(at);
}

/** '21 Nov, 14:00 – 15:00', or '21 Nov' for a day. */
export function spoken(at, step) {
  const long = writer(step, {day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit'});
  const [from, until] = [long(at), long(step >= DAY ? at + step - DAY : at + step)];
  if (from === until) return from;
  const [day, time] = until.split(', ');
  return `${from} – ${time && from.startsWith(`${day},`) ? time : until}`;
}

/**
 * The chart of points [[start in ms, count], …] in a window [start, end) of intervals of `step` ms. `name` is what is counted; `picked` the start of
 * the interval that is chosen, and `pick` is told of another choice, or of null; without it there is nothing to choose. A `measure` {column, said(value),
 * adds} says how values are called and whether their sum says anything; `height` is in pixels. Returns {element, update(points, end, start)}: without a start
 * the window moves on as it is wide.
 */
export function histogram({name, points, start, end, step, picked = null, pick = null, signal, measure = EVENTS, height = HEIGHT}) {
  const id = `chart-${charts += 1}`;
  const title = s('title', {id: `${id}-title`});
  const desc = s('desc', {id: `${id}-desc`});
  const picture = s('svg', {class: 'chart-picture', role: 'img', 'aria-labelledby': `${id}-title ${id}-desc`, height, focusable: 'false'});
  const bubble = h('output', {class: 'chart-bubble', hidden: true, 'aria-hidden': 'true'});
  const label = pick ? 'Intervals' : `${name}, interval by interval`;
  const plot = h('div', {class: 'chart-plot', style: {height: `${height}px`}, tabindex: '0', role: 'slider', 'aria-label': label, 'aria-orientation': 'horizontal', 'aria-describedby': `${id}-help`}, picture, bubble);
  const rows = h('tbody');
  const rest = h('caption', {class: 'faint'});
  const element = h('figure', {class: 'chart'},
    plot,
    h('p', {class: 'visually-hidden', id: `${id}-help`}, `Arrow keys walk from interval to interval${pick ? ', Enter shows the events of one of them, Escape those of all' : ''}.`),
    h('details', {class: 'chart-table'},
      h('summary', {}, 'As a table'),
      h('div', {class: 'chart-rows', tabindex: '0', role: 'region', 'aria-label': pick ? 'The chart as a table' : `${name} as a table`},
        h('table', {}, rest, h('thead', {}, h('tr', {}, h('th', {scope: 'col'}, step >= DAY ? 'Interval (UTC)' : 'Interval'), h('th', {scope: 'col'}, measure.column))), rows))));

  let slots = [];      // [start, count] of every interval in the window, the empty ones too
  let cursor = -1;
  let width = 0;

  function lay() {
    const counts = new Map(points);
    let first = points.length ? points[0][0] : Math.floor(start / step) * step;
    first -= Math.ceil((first - start) / step) * step;   // with the phase of the points: weeks begin on Mondays
    slots = [];
    for (let at = first; at < end; at += step) slots.push([at, counts.get(at) ?? 0]);
    const total = slots.reduce((sum, [, count]) => sum + count, 0);
    const [peakAt, peak] = slots.reduce((best, slot) => (slot[1] > best[1] ? slot : best), [0, 0]);
    title.textContent = `${name} over time`;
    const sum = measure.adds ? `${measure.said(total)}; the` : 'The';
    desc.textContent = total ? `${sum} most, ${measure.adds ? number(peak) : measure.said(peak)}, in ${spoken(peakAt, step)}.` : `No ${measure.column.toLowerCase()}.`;
    const filled = slots.filter(([, count]) => count).reverse();
    rest.textContent = filled.length > MOST_ROWS ? `The newest ${MOST_ROWS} intervals that have any, of ${filled.length}` : 'Intervals that have any, the newest first';
    rows.replaceChildren(...filled.slice(0, MOST_ROWS).map(([at, count]) => h('tr', {}, h('th', {scope: 'row'}, spoken(at, step)), h('td', {}, measure.adds ? number(count) : measure.said(count)))));
    plot.setAttribute('aria-valuemin', '1');
    plot.setAttribute('aria-valuemax', String(slots.length));
    point(cursor < 0 ? -1 : Math.min(cursor, slots.length - 1));
  }

  const x = (index) => PAD.left + (index * (width - PAD.left - PAD.right)) / slots.length;

  function bars(chosen, className) {
    const most = ceiling(Math.max(...slots.map(([, count]) => count), 1));
    const room = height - PAD.top - PAD.bottom;
    const gap = (x(1) - x(0)) > 4 ? Math.min(3, (x(1) - x(0)) * 0.18) : 0;
    const path = slots.map(([at, count], index) => {
      if (!count || !chosen(at, index)) return '';
      const tall = Math.max(1.5, (count / most) * room);
      return `M${x(index) + gap / 2} ${height - PAD.bottom}v${-tall}h${Math.max(0.75, x(1) - x(0) - gap)}v${tall}z`;
    }).join('');
    return s('path', {class: className, d: path});
  }

  function draw() {
    if (!width) return;
    const most = ceiling(Math.max(...slots.map(([, count]) => count), 1));
    const base = height - PAD.bottom;
    const lines = (most === 1 ? [0, 1] : [0, most / 2, most]).map((value) => {
      const y = base - (value / most) * (base - PAD.top);
      return s('g', {'aria-hidden': 'true'},
        s('line', {class: value ? 'chart-line' : 'chart-base', x1: PAD.left, x2: width - PAD.right, y1: y, y2: y}),
        s('text', {class: 'chart-text', x: PAD.left - 8, y: y + 4, 'text-anchor': 'end'}, Intl.NumberFormat('en-GB', {notation: 'compact'}).format(value)));
    });
    const apart = TICKS.find((tick) => tick >= step && (tick / step) * (x(1) - x(0)) >= TICK_WIDTH) ?? TICKS.at(-1);
    const written = writer(step, apart >= DAY ? {day: 'numeric', month: 'short'} : {weekday: 'short', hour: '2-digit', minute: '2-digit'});
    const turn = (at) => Math.floor((at - (step >= DAY ? 0 : new Date(at).getTimezoneOffset() * MINUTE)) / apart);
    const ticks = slots.flatMap(([at], index) => (turn(at) === turn(at - step) || x(index) > width - 60 ? []
      : [s('text', {class: 'chart-text', x: x(index), y: height - 6, 'aria-hidden': 'true'}, written(at))]));
    const seen = picked === null ? bars(() => true, 'chart-bars') : [bars((at) => at !== picked, 'chart-bars other'), bars((at) => at === picked, 'chart-bars')];
    const marker = cursor < 0 ? [] : [s('rect', {class: 'chart-cursor', x: x(cursor), y: PAD.top - 4, width: Math.max(2, x(1) - x(0)), height: base - PAD.top + 4, rx: 2})];
    picture.setAttribute('viewBox', `0 0 ${width} ${height}`);
    picture.setAttribute('width', width);
    picture.replaceChildren(title, desc, ...lines, ...marker, ...[seen].flat(), ...ticks);
  }

  function point(index) {
    cursor = slots.length ? index : -1;
    const at = Math.max(0, cursor);
    const [from, count] = slots[cursor < 0 ? slots.length - 1 : at] ?? [start, 0];
    const text = `${spoken(from, step)}: ${measure.said(count)}`;
    plot.setAttribute('aria-valuenow', String((cursor < 0 ? slots.length - 1 : at) + 1));
    plot.setAttribute('aria-valuetext', text);
    bubble.hidden = cursor < 0;
    bubble.textContent = text;
    draw();
    if (cursor < 0) return;
    const middle = x(cursor + 0.5);
    bubble.style.setProperty('left', `${Math.max(bubble.offsetWidth / 2 + 2, Math.min(width - bubble.offsetWidth / 2 - 2, middle))}px`);
  }

  const under = (event) => {
    const across = event.clientX - plot.getBoundingClientRect().left;
    return Math.max(0, Math.min(slots.length - 1, Math.floor(((across - PAD.left) * slots.length) / (width - PAD.left - PAD.right))));
  };
  const choose = (index) => pick && slots[index] && pick(slots[index][0] === picked ? null : slots[index][0]);

  plot.addEventListener('pointermove', (event) => point(under(event)));
  plot.addEventListener('pointerleave', () => document.activeElement !== plot && point(-1));
  plot.addEventListener('blur', () => point(-1));
  plot.addEventListener('click', (event) => choose(under(event)));
  plot.addEventListener('keydown', (event) => {
    const last = slots.length - 1;
    const from = cursor < 0 ? last + 1 : cursor;
    const page = Math.max(1, Math.round(slots.length / 10));
    const to = {ArrowLeft: from - 1, ArrowRight: from + 1, ArrowDown: from - 1, ArrowUp: from + 1, PageDown: from - page, PageUp: from + page, Home: 0, End: last}[event.key];
    if (to !== undefined) point(Math.max(0, Math.min(last, to)));
    else if (event.key === 'Enter' || event.key === ' ') choose(cursor);
    else if (event.key === 'Escape') picked === null ? point(-1) : pick(null);
    else return;
    event.preventDefault();
  });

  const watcher = new ResizeObserver(() => {
    width = plot.clientWidth;
    draw();
  });
  watcher.observe(plot);
  signal.addEventListener('abort', () => watcher.disconnect());
  lay();
  return {element, update(more, until, from = start + until - end) {
    points = more;
    [start, end] = [from, until];
    lay();
    draw();
  }};
}
