// The player: the film, its timeline, and beside it what happened when.

import * as api from './api.js';
import {announce, copy, failure, h, icon, notice} from './dom.js';
import {clock, duration, lasted, moment, path, plural, size} from './format.js';
import {person} from './list.js';
import {read} from './recording.js';

const SPEEDS = [0.5, 1, 2, 4, 8];
const PANES = [['clicks', 'Clicks'], ['console', 'Console'], ['network', 'Network'], ['errors', 'Errors'], ['details', 'Details']];
const KEYS = [['Space', 'play or pause'], ['← →', 'five seconds back, forward'], ['Shift ← →', 'thirty seconds'], ['[ ]', 'slower, faster'], ['N P', 'next, previous mark'],
  ['S', 'skip inactivity'], ['F', 'full screen'], ['1-5', 'clicks, console, network, errors, details'], ['?', 'this help']];

let library = null;

/** The vendored player is a plain script of 220 kB: fetched when a replay is opened, once. */
function rrweb() {
  library ??= new Promise((resolve, reject) => {
    const script = h('script', {src: 'vendor/rrweb-player.min.js', onload: () => resolve(window.rrwebPlayer.Player ?? window.rrwebPlayer.default ?? window.rrwebPlayer), onerror: () => {
      library = null;
      reject(new Error('The player could not be loaded.'));
    }});
    document.head.append(script);
  });
  return library;
}

/** 83, 83s, 1m23s and 1:23 → milliseconds. */
export function offsetOf(text) {
  if (!text) return null;
  const colon = text.match(/^(?:(\d+):)?(\d+):(\d+)$/);
  if (colon) return ((Number(colon[1] ?? 0) * 60 + Number(colon[2])) * 60 + Number(colon[3])) * 1000;
  const units = text.match(/^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?$/);
  return units ? ((Number(units[1] ?? 0) * 60 + Number(units[2] ?? 0)) * 60 + Number(units[3] ?? 0)) * 1000 : null;
}

export async function playerPage(main, parameters, {signal}) {
  const id = parameters.get('replay');
  document.title = 'Replay · Tapedeck';
  const [organization, replay, Player] = await Promise.all([api.organization(), api.replay(id, parameters.get('project'), signal), rrweb()]);
  if (signal.aborted) return;
  if (replay.is_archived) {
    main.replaceChildren(notice('empty', 'This replay was deleted', 'Its recording is gone; only the fact that it existed is kept.', h('a', {class: 'button', href: './', 'data-route': true}, 'All replays')));
    return;
  }
  const project = organization.projects.find((one) => String(one.id) === String(replay.project_id));
  const slug = project?.slug ?? parameters.get('project') ?? replay.project_id;
  const who = replay.user?.display_name || 'Anonymous';
  document.title = `${who} · Tapedeck`;

  const progress = h('progress', {max: Math.max(1, replay.count_segments ?? 1), value: 0, 'aria-label': 'Recording loaded'});
  const room = h('div', {class: 'deck loading'}, h('div', {class: 'loading-tape', role: 'status'}, h('span', {}, 'Rewinding the tape…'), progress));
  main.replaceChildren(h('div', {class: 'page wide'}, head(replay, who, slug), room));

  const segments = await api.segments(replay.id, slug, replay.count_segments ?? 1, {signal, onprogress: (count) => { progress.value = count; }});
  if (signal.aborted) return;
  const tape = read(segments, replay);
  room.classList.remove('loading');
  if (!tape.playable) {
    room.replaceChildren(notice('empty', 'Nothing to play yet', 'The first picture of this page has not arrived. A session that is still going on fills in within seconds.',
      h('button', {class: 'button', type: 'button', onclick: () => location.reload()}, 'Look again')));
    return;
  }
  try {
    deck(room, Player, tape, replay, offsetOf(parameters.get('t')), signal);
  } catch (error) {
    console.error(error);
    room.replaceChildren(failure(new Error('This recording cannot be played: its events are damaged.')));
    return;
  }
  api.recordView(replay.id, slug).catch(() => {});
}

function head(replay, who, slug) {
  const urls = replay.urls ?? [];
  return h('div', {class: 'player-head'},
    h('a', {class: 'back', href: './', 'data-route': true}, icon('back', 16), 'Replays'),
    person(replay.user, 'big'),
    h('div', {class: 'player-who'}, h('h1', {}, who), h('p', {class: 'faint'},
      h('time', {datetime: replay.started_at}, moment(replay.started_at)), ' · ', duration(replay.duration), ' · ', plural(urls.length, 'page'),
      ' · ', [replay.browser?.name, replay.os?.name].filter(Boolean).join(' on ') || 'unknown browser', ' · ', slug)));
}

/** Builds player, controls and panes around a readable tape, and ties them to one clock. */
function deck(room, Player, tape, replay, startAt, signal) {
  const frame = h('div', {class: 'frame', inert: true});
  const address = h('span', {class: 'address-text'});
  const skipping = h('div', {class: 'skipping', hidden: true}, 'Skipping inactivity');
  const curtain = h('button', {class: 'curtain', type: 'button', tabindex: '-1', 'aria-hidden': 'true'}, h('span', {}, icon('play', 34)));
  const stage = h('div', {class: 'stage'}, frame, skipping, curtain);
  const position = h('span', {class: 'time'}, h('b', {}, '0:00'), ` / ${clock(tape.length)}`);
  const playButton = h('button', {class: 'round primary', type: 'button'});
  const slider = timeline(tape);
  const skip = h('button', {class: 'switch', type: 'button', role: 'switch', 'aria-checked': 'true'}, h('i', {'aria-hidden': 'true'}), h('span', {}, 'Skip inactivity'));
  const speed = h('select', {id: 'speed', class: 'speed', 'aria-label': 'Speed'}, SPEEDS.map((value) => h('option', {value, selected: value === 1}, `${value}×`)));
  const share = h('button', {class: 'button small quiet', type: 'button', title: 'Copy a link to this moment'}, icon('link', 16), h('span', {class: 'label'}, 'Copy link'));
  const whole = h('button', {class: 'round', type: 'button', 'aria-label': 'Full screen', title: 'Full screen (F)'}, icon('full'));
  const help = h('button', {class: 'round', type: 'button', 'aria-label': 'Keyboard', title: 'Keyboard (?)'}, icon('keys'));
  const controls = h('div', {class: 'controls'},
    slider.element,
    h('div', {class: 'buttons', role: 'group', 'aria-label': 'Playback'}, playButton, position, h('span', {class: 'spring'}), skip, speed, share, whole, help));
  const screen = h('section', {class: 'screen', 'aria-label': 'Player'}, h('div', {class: 'address'}, h('i'), h('i'), h('i'), address), stage, controls);
  const shelf = panes(tape, replay, (at) => seek(at));
  const dialog = helpDialog();
  room.replaceChildren(screen, shelf.element, dialog);

  const player = new Player({target: frame, props: {
    events: tape.film, width: stage.clientWidth, height: stage.clientHeight, maxScale: 1, autoPlay: false, showController: false,
    skipInactive: true, speedOption: SPEEDS, speed: 1, triggerFocus: false, showWarning: false, showDebug: false, mouseTail: {strokeStyle: '#e4572e', lineWidth: 2, duration: 600},
  }});
  const iframe = player.getReplayer().iframe;
  iframe.title = 'Recorded page';
  iframe.tabIndex = -1;

  const state = {at: 0, playing: false, skip: true, finished: false, shown: -1};
  const length = Math.max(1, player.getMetaData().totalTime);

  const seek = (at, play = state.playing) => {
    state.finished = false;
    const bounded = Math.min(Math.max(0, at), length);
    player.goto(bounded, play);
    tick(bounded);
  };
  const toggle = () => (state.finished ? seek(0, true) : player.toggle());
  const setSpeed = (value) => {
    player.setSpeed(value);
    speed.value = String(value);
    announce(`Speed ${value}`);
  };
  const faster = (direction) => setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, SPEEDS.indexOf(Number(speed.value)) + direction))]);
  const toggleSkip = () => {
    state.skip = !state.skip;
    player.toggleSkipInactive();
    skip.setAttribute('aria-checked', String(state.skip));
  };
  const fullScreen = () => (document.fullscreenElement ? document.exitFullscreen() : screen.requestFullscreen?.());
  const nextMark = (direction) => {
    const marks = tape.markers.map(({at}) => at).sort((a, b) => a - b);
    const found = direction > 0 ? marks.find((at) => at > state.at + 250) : marks.findLast((at) => at < state.at - 1000);
    if (found !== undefined) seek(found);
  };

  function tick(at) {
    state.at = at;
    slider.show(at);
    const second = Math.floor(at / 1000);
    if (second === state.shown) return;
    state.shown = second;
    position.firstChild.textContent = clock(at);
    address.textContent = tape.panes.pages.findLast((page) => page.at <= at + 500)?.title ?? replay.urls?.[0] ?? '';
    shelf.follow(at);
  }
  function showState() {
    const [name, label] = state.finished ? ['again', 'Play again'] : state.playing ? ['pause', 'Pause'] : ['play', 'Play'];
    playButton.replaceChildren(icon(name, 22));
    playButton.setAttribute('aria-label', label);
    playButton.title = `${label} (space)`;
    curtain.firstChild.replaceChildren(icon(name === 'pause' ? 'play' : name, 34));
    curtain.classList.toggle('up', state.playing);
    screen.dataset.state = state.playing ? 'playing' : 'paused';
  }

  player.addEventListener('ui-update-current-time', ({payload}) => tick(Math.min(payload, length)));
  player.addEventListener('ui-update-player-state', ({payload}) => {
    state.playing = payload === 'playing';
    if (state.playing) state.finished = false;
    showState();
  });
  player.addEventListener('finish', () => {
    state.finished = true;
    tick(length);
    showState();
  });
  player.addEventListener('skip-start', ({speed: rate}) => {
    skipping.textContent = `Skipping inactivity ×${rate}`;
    skipping.hidden = false;
  });
  player.addEventListener('skip-end', () => { skipping.hidden = true; });

  playButton.addEventListener('click', toggle);
  curtain.addEventListener('click', toggle);
  speed.addEventListener('change', () => setSpeed(Number(speed.value)));
  skip.addEventListener('click', toggleSkip);
  whole.addEventListener('click', fullScreen);
  help.addEventListener('click', () => dialog.showModal());
  share.addEventListener('click', () => {
    const link = new URL(location.href);
    link.searchParams.set('t', `${Math.floor(state.at / 1000)}s`);
    history.replaceState(history.state, '', link);
    copy(link.href, share);
  });
  slider.onseek = (at) => seek(at);

  const shortcuts = {
    ' ': toggle, k: toggle, '[': () => faster(-1), ']': () => faster(1), s: toggleSkip, f: fullScreen, n: () => nextMark(1), p: () => nextMark(-1), '?': () => dialog.showModal(),
    ArrowLeft: (event) => seek(state.at - (event.shiftKey ? 30_000 : 5000)), ArrowRight: (event) => seek(state.at + (event.shiftKey ? 30_000 : 5000)),
    ...Object.fromEntries(PANES.map(([name], index) => [String(index + 1), () => shelf.open(name)])),
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open || event.defaultPrevented) return;
    if (event.target.matches('input, textarea, select')) return;
    // Someone who walks by keyboard presses space to press the button they stand on.
    if (event.key === ' ' && event.target.matches('button:focus-visible, a:focus-visible')) return;
    const act = shortcuts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act(event);
  }, {signal});

  const fit = () => {
    player.$set({width: stage.clientWidth, height: stage.clientHeight});
    player.triggerResize();
  };
  const observer = new ResizeObserver(fit);
  observer.observe(stage);
  signal.addEventListener('abort', () => {
    observer.disconnect();
    player.$destroy();
  });

  showState();
  seek(startAt ?? 0, true);
}

/** A slider with marks. Its value is an offset; arrow keys come from the page's shortcuts, so that they work everywhere. */
function timeline(tape) {
  const percent = (at) => `${tape.length ? (at / tape.length) * 100 : 0}%`;
  const fill = h('div', {class: 'fill'});
  const knob = h('div', {class: 'knob'});
  const bubble = h('div', {class: 'bubble', hidden: true});
  const track = h('div', {class: 'track'},
    tape.idle.map(([from, to]) => h('div', {class: 'idle', title: 'Nobody did anything', style: {left: percent(from), width: percent(to - from)}})), fill, knob);
  const marks = h('div', {class: 'marks'}, tape.markers.map(({at, kind, title}) => h('i', {class: `mark ${kind}`, title: `${clock(at)} ${title}`, style: {left: percent(at)}})));
  const element = h('div', {class: 'timeline', role: 'slider', tabindex: '0', 'aria-label': 'Position', 'aria-valuemin': '0', 'aria-valuemax': Math.round(tape.length / 1000), 'aria-valuenow': '0'}, marks, track, bubble);
  const self = {element, onseek: () => {}, show(at) {
    fill.style.width = knob.style.left = percent(at);
    element.setAttribute('aria-valuenow', Math.round(at / 1000));
    element.setAttribute('aria-valuetext', `${clock(at)} of ${clock(tape.length)}`);
  }};
  const under = (event) => {
    const {left, width} = track.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - left) / width)) * tape.length;
  };
  element.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    self.onseek(under(event));
  });
  element.addEventListener('pointermove', (event) => {
    const at = under(event);
    bubble.hidden = false;
    bubble.style.left = percent(at);
    bubble.textContent = clock(at);
    if (element.hasPointerCapture(event.pointerId)) self.onseek(at);
  });
  element.addEventListener('pointerleave', () => { bubble.hidden = true; });
  element.addEventListener('keydown', (event) => {
    const jump = {Home: 0, End: tape.length}[event.key];
    if (jump === undefined) return;
    event.preventDefault();
    self.onseek(jump);
  });
  return self;
}

const MARKS = {clicks: (row) => row.kind, errors: () => 'error'};
const EMPTY = {clicks: 'Nobody clicked in this recording.', console: 'The console stayed silent.', network: 'No requests were recorded.', errors: 'No errors. Lovely.'};

function rowOf(name, row, seek) {
  const content = {
    clicks: () => [h('span', {class: 'row-title'}, row.title), (row.kind !== 'click' || row.count > 1) && h('em', {class: `tag ${row.kind}`}, {rage: 'rage click', dead: 'dead click', click: ''}[row.kind] + (row.count > 1 ? ` ×${row.count}` : '')), h('span', {class: 'row-detail mono'}, row.detail)],
    console: () => [h('span', {class: 'row-title mono'}, row.title), row.kind !== 'log' && h('em', {class: `tag ${row.kind}`}, row.kind), row.detail && h('span', {class: 'row-detail mono'}, row.detail)],
    network: () => [h('span', {class: 'row-title mono', title: row.title}, path(row.title)), h('em', {class: `tag ${row.kind}`}, row.status ? `${row.method} ${row.status}` : row.type),
      h('span', {class: 'row-detail'}, [row.status && row.type, lasted(row.lasted), size(row.bytes)].filter(Boolean).join(' · '))],
    errors: () => [h('span', {class: 'row-title'}, row.title), row.label && h('em', {class: 'tag'}, row.label), h('span', {class: 'row-detail mono'}, row.detail)],
  }[name]();
  const inside = [h('span', {class: 'row-time'}, row.at === null ? '–' : clock(row.at)), MARKS[name] ? h('span', {class: `row-icon ${MARKS[name](row)}`}, icon(MARKS[name](row), 15)) : null, h('span', {class: 'row-body'}, content)];
  const item = h('li', {class: `row ${row.kind}`}, row.at === null ? h('div', {class: 'row-button'}, inside) : h('button', {class: 'row-button', type: 'button', onclick: () => seek(row.at)}, inside));
  return {item, at: row.at, text: `${row.title} ${row.detail ?? ''} ${row.kind}`.toLowerCase()};
}

/** The tabs beside the film. follow(at) marks the latest row that has happened, and keeps it in view unless someone is reading there. */
function panes(tape, replay, seek) {
  const tabs = h('div', {class: 'tabs', role: 'tablist', 'aria-label': 'What happened'});
  const filter = h('input', {class: 'filter', type: 'search', placeholder: 'Filter', 'aria-label': 'Filter these rows'});
  const element = h('section', {class: 'shelf', 'aria-label': 'What happened'}, tabs, h('div', {class: 'filter-line'}, icon('search', 16), filter));
  const made = {};
  let current = null;
  for (const [name, label] of PANES) {
    const rows = name === 'details' ? [] : tape.panes[name].map((row) => rowOf(name, row, seek));
    const body = name === 'details' ? details(replay) : rows.length ? h('ol', {class: 'rows'}, rows.map(({item}) => item)) : h('p', {class: 'rows-empty'}, EMPTY[name]);
    const panel = h('div', {id: `pane-${name}`, class: 'pane', role: 'tabpanel', 'aria-labelledby': `tab-${name}`, tabindex: '0', hidden: true}, body);
    const tab = h('button', {id: `tab-${name}`, class: 'tab', type: 'button', role: 'tab', 'aria-controls': `pane-${name}`, 'aria-selected': 'false', tabindex: '-1', onclick: () => open(name)},
      label, name !== 'details' && h('span', {class: `count${name === 'errors' && rows.length ? ' alarming' : ''}`}, String(rows.length)));
    tabs.append(tab);
    element.append(panel);
    made[name] = {tab, panel, rows, now: null};
  }
  function open(name) {
    for (const [key, {tab, panel}] of Object.entries(made)) {
      tab.setAttribute('aria-selected', String(key === name));
      tab.tabIndex = key === name ? 0 : -1;
      panel.hidden = key !== name;
    }
    current = name;
    element.classList.toggle('unfiltered', name === 'details' || made[name].rows.length < 8);
    sift();
  }
  function sift() {
    const wanted = element.classList.contains('unfiltered') ? '' : filter.value.trim().toLowerCase();
    for (const {item, text} of made[current].rows) item.hidden = wanted !== '' && !text.includes(wanted);
  }
  filter.addEventListener('input', sift);
  tabs.addEventListener('keydown', (event) => {
    const order = PANES.map(([name]) => name);
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (!step) return;
    event.preventDefault();
    const name = order.at((order.indexOf(current) + step) % order.length);
    open(name);
    made[name].tab.focus();
  });
  function follow(at) {
    for (const [name, pane] of Object.entries(made)) {
      const latest = pane.rows.findLast((row) => row.at !== null && row.at <= at + 500)?.item ?? null;
      if (latest === pane.now) continue;
      pane.now?.classList.remove('now');
      latest?.classList.add('now');
      pane.now = latest;
      if (latest && name === current && !pane.panel.matches(':hover, :focus-within')) {
        pane.panel.scrollTop = latest.offsetTop - pane.panel.clientHeight / 2;
      }
    }
  }
  open(tape.panes.errors.length && !tape.panes.clicks.length ? 'errors' : 'clicks');
  return {element, open, follow};
}

function details(replay) {
  const facts = [
    ['User', [replay.user?.username, replay.user?.email, replay.user?.id, replay.user?.ip].filter(Boolean).join(' · ')],
    ['Pages', replay.urls ?? []],
    ['Environment', replay.environment], ['Release', (replay.releases ?? []).join(', ')],
    ['Browser', [replay.browser?.name, replay.browser?.version].filter(Boolean).join(' ')],
    ['System', [replay.os?.name, replay.os?.version].filter(Boolean).join(' ')],
    ['Device', [replay.device?.brand, replay.device?.model ?? replay.device?.name].filter(Boolean).join(' ')],
    ['SDK', [replay.sdk?.name, replay.sdk?.version].filter(Boolean).join(' ')],
    ['Counts', `${plural(replay.count_segments ?? 0, 'segment')}, ${plural(replay.count_errors ?? 0, 'error')}, ${plural(replay.count_dead_clicks ?? 0, 'dead click')}, ${plural(replay.count_rage_clicks ?? 0, 'rage click')}`],
    ['Replay id', replay.id],
    ...Object.entries(replay.tags ?? {}).map(([key, values]) => [key, [values].flat().join(', ')]),
  ];
  return h('dl', {class: 'details'}, facts.filter(([, value]) => (Array.isArray(value) ? value.length : value)).map(([key, value]) => [
    h('dt', {}, key), h('dd', {}, Array.isArray(value) ? h('ul', {}, value.map((one) => h('li', {}, one))) : value)]));
}

function helpDialog() {
  const dialog = h('dialog', {class: 'help', 'aria-labelledby': 'help-title'},
    h('h2', {id: 'help-title'}, 'Keyboard'),
    h('dl', {}, KEYS.map(([keys, text]) => [h('dt', {}, keys.split(' ').map((key) => h('kbd', {}, key))), h('dd', {}, text)])),
    h('form', {method: 'dialog', onsubmit: (event) => { event.preventDefault(); dialog.close(); }}, h('button', {class: 'button primary', type: 'submit'}, 'Close')));
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
  return dialog;
}
