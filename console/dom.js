// Elements and icons. Whatever was recorded reaches the page as text nodes or attributes from here, never as markup.

const SVG = 'http://www.w3.org/2000/svg';

/** h('button', {class: 'x', onclick: f}, 'text', child, null): strings become text nodes, null and false are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'style') for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== ''));
  return element;
}

const PATHS = {
  play: 'M7 4.5v15l12-7.5z',
  pause: 'M7 5h3.5v14H7zM13.5 5H17v14h-3.5z',
  again: 'M12 5V1.5L6.5 6.5 12 11V7.5a5.5 5.5 0 1 1-5.5 5.5H4a8 8 0 1 0 8-8z',
  back: 'M14.5 5 7.5 12l7 7 1.6-1.6L10.7 12l5.4-5.4z',
  next: 'M9.5 5 7.9 6.6 13.3 12l-5.4 5.4L9.5 19l7-7z',
  full: 'M4 9V4h5v2.2H6.2V9zM15 4h5v5h-2.2V6.2H15zM4 15h2.2v2.8H9V20H4zM17.8 15H20v5h-5v-2.2h2.8z',
  link: 'M10.6 13.4a1 1 0 0 0 1.4 0l4.6-4.6a2.2 2.2 0 0 0-3.1-3.1l-1.6 1.6-1.5-1.5 1.6-1.6a4.3 4.3 0 0 1 6.1 6.1l-4.6 4.6a3.1 3.1 0 0 1-4.4 0zM13.4 10.6a1 1 0 0 0-1.4 0l-4.6 4.6a2.2 2.2 0 0 0 3.1 3.1l1.6-1.6 1.5 1.5-1.6 1.6a4.3 4.3 0 0 1-6.1-6.1l4.6-4.6a3.1 3.1 0 0 1 4.4 0z',
  keys: 'M3 6h18v12H3zm2 2v8h14V8zm1.5 1.5h2v2h-2zm4 0h2v2h-2zm4 0h2v2h-2zM8 13h8v1.8H8z',
  copy: 'M8 3h11v13h-2.2V5.2H8zM5 7h10v14H5zm2.2 2.2v9.6h5.6V9.2z',
  click: 'M6 3l13 7.2-5.4 1.6 3.6 5.4-2.3 1.6-3.6-5.5L7.5 17z',
  rage: 'M13.5 2 5 13.5h5.5L9 22l9.5-12.5h-6z',
  dead: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 2.2c1.5 0 2.9.5 4 1.3L6.5 16A6.8 6.8 0 0 1 12 5.2zm0 13.6a6.7 6.7 0 0 1-4-1.3L17.5 8A6.8 6.8 0 0 1 12 18.8z',
  error: 'M12 2.5 1.5 21h21zM11 9.5h2v5.5h-2zm0 7h2v2h-2z',
  navigation: 'M4 11h11.2L10.5 6.3 12 4.7 19.5 12 12 19.5l-1.5-1.6 4.7-4.7H4z',
  close: 'M6.4 4.9 12 10.5l5.6-5.6 1.5 1.5L13.5 12l5.6 5.6-1.5 1.5L12 13.5l-5.6 5.6-1.5-1.5L10.5 12 4.9 6.4z',
  down: 'M10.9 4h2.2v11.8l4.5-4.5 1.6 1.6-7.2 7.2-7.2-7.2 1.6-1.6 4.5 4.5z',
  up: 'M10.9 20h2.2V8.2l4.5 4.5 1.6-1.6L12 3.9l-7.2 7.2 1.6 1.6 4.5-4.5z',
  search: 'M10.5 4a6.5 6.5 0 1 0 4 11.6l4.5 4.4 1.5-1.5-4.4-4.5A6.5 6.5 0 0 0 10.5 4zm0 2.2a4.3 4.3 0 1 1 0 8.6 4.3 4.3 0 0 1 0-8.6z',
};

export function icon(name, size = 18) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('width', size);
  svg.setAttribute('height', size);
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('focusable', 'false');
  svg.setAttribute('class', 'icon');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name]);
  path.setAttribute('fill', 'currentColor');
  svg.append(path);
  return svg;
}

/** Says something to people who listen instead of look. */
export function announce(text) {
  document.getElementById('announcer').textContent = text;
}

/** A full-width state of a page: loading, empty, failed. */
export function notice(kind, title, text, ...actions) {
  return h('section', {class: `notice ${kind}`, role: kind === 'failed' ? 'alert' : null},
    h('div', {class: 'notice-art', 'aria-hidden': 'true'}, h('i'), h('i')),
    h('h1', {}, title),
    text && h('p', {}, text),
    actions.length > 0 && h('div', {class: 'notice-actions'}, actions));
}

export function failure(error, retry) {
  const id = error.requestId ? ` (request ${error.requestId})` : '';
  return notice('failed', error.title ?? 'That did not work', `${error.message}${id}`,
    retry && h('button', {class: 'button', type: 'button', onclick: retry}, 'Try again'),
    h('a', {class: 'button quiet', href: './', 'data-route': true}, 'All replays'));
}

/** Asks before something is done that cannot be undone: whether it shall be. */
export function confirmed(question, consequence, act) {
  return new Promise((resolve) => {
    const dialog = h('dialog', {class: 'help', role: 'alertdialog', 'aria-labelledby': 'confirm-question', 'aria-describedby': 'confirm-consequence', onclose: () => { dialog.remove(); resolve(dialog.returnValue === 'yes'); }},
      h('h2', {id: 'confirm-question'}, question),
      h('p', {id: 'confirm-consequence'}, consequence),
      h('div', {class: 'confirm-actions'},
        h('button', {class: 'button', type: 'button', onclick: () => dialog.close('no')}, 'Cancel'),
        h('button', {class: 'button primary', type: 'button', onclick: () => dialog.close('yes')}, act)));
    document.body.append(dialog);
    dialog.showModal();
  });
}

export async function copy(text, button) {
  const label = button.querySelector('.label');
  const before = label.textContent;
  let said = 'Copied';
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    said = 'Select and copy';
  }
  label.textContent = said;
  announce(said);
  setTimeout(() => { label.textContent = before; }, 1600);
}
