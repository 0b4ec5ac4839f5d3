// Set-up: the snippet with the real DSN in it.

import * as api from './api.js';
import {copy, h, icon, notice} from './dom.js';

const npmSnippet = (dsn) => `import * as Sentry from "@sentry/browser";

Sentry.init({
  dsn: ${JSON.stringify(dsn)},
  integrations: [Sentry.replayIntegration()],
  replaysSessionSampleRate: 1.0,
  replaysOnErrorSampleRate: 1.0,
});`;

/** Text to copy; `meant` is what is copied where that says more than what is shown. */
export function codeBlock(label, text, meant = text) {
  const button = h('button', {class: 'button small copy', type: 'button', 'aria-label': `Copy ${label}`, onclick: () => copy(meant, button)}, icon('copy', 15), h('span', {class: 'label'}, 'Copy'));
  return h('figure', {class: 'code'}, h('figcaption', {}, label, button), h('pre', {tabindex: '0'}, h('code', {}, text)));
}

function step(number, title, ...content) {
  return h('li', {class: 'step'}, h('span', {class: 'step-number', 'aria-hidden': 'true'}, String(number)), h('div', {}, h('h2', {}, title), content));
}

export async function setupPage(main, parameters, {navigate}) {
  document.title = 'Set up · Tapedeck';
  const {projects} = await api.organization();
  const usable = projects.filter(({dsn}) => dsn);
  if (usable.length === 0) {
    main.replaceChildren(notice('empty', 'No project to record into', 'You belong to no environment of this organization yet. Ask an owner to add you.'));
    return;
  }
  const chosen = usable.find(({slug}) => slug === parameters.get('project')) ?? usable[0];
  const picker = h('select', {id: 'setup-project', onchange: () => navigate(`?page=setup&project=${encodeURIComponent(picker.value)}`, {replace: true})},
    usable.map(({slug, name}) => h('option', {value: slug, selected: slug === chosen.slug}, name ?? slug)));
  main.replaceChildren(h('div', {class: 'page narrow'},
    h('div', {class: 'page-head'}, h('h1', {}, 'Record a session'), h('div', {class: 'filters'}, h('div', {class: 'field'}, h('label', {for: 'setup-project'}, 'Project'), picker))),
    h('p', {class: 'lead'}, 'Any page that runs an unmodified Sentry browser SDK can record here. Only the DSN is yours.'),
    h('ol', {class: 'steps'},
      step(1, 'Install the SDK', codeBlock('Terminal', 'npm install @sentry/browser')),
      step(2, 'Start it as early as your page can', codeBlock('JavaScript', npmSnippet(chosen.dsn)),
        h('p', {class: 'faint'}, 'Text and inputs are masked and media are left out unless you say otherwise: ', h('code', {}, 'replayIntegration({maskAllText: false, blockAllMedia: false})'), '.')),
      step(3, 'Or keep the SDK you have and change its DSN', codeBlock('DSN', chosen.dsn)),
      step(4, 'Click around for ten seconds', h('p', {}, 'The first piece of a recording leaves the browser after five seconds. Then look at ', h('a', {href: './', 'data-route': true}, 'your replays'), '.')))));
}
