// Privacy: look one person up, see what would go, have it erased, and read the proof; for how long everything is kept. Nobody's id gets into the address or the history of the browser.

import * as api from './api.js';
import {announce, confirmed, h, notice} from './dom.js';
import {ago, duration, moment, plural} from './format.js';
import {looking} from './looking.js';
import {codeBlock} from './setup.js';

const SOON = 1500;      // milliseconds between two looks while somebody is being erased
const SELDOM = 30_000;
const NAMES = {scheduled: 'Scheduled', running: 'Running', completed: 'Completed', failed: 'Failed', cancelled: 'Cancelled'};

const number = (value) => value.toLocaleString('en-GB');
const at = (milliseconds) => new Date(milliseconds).toISOString();
const time = (milliseconds, {relative = false} = {}) => h('time', {datetime: at(milliseconds), title: `${moment(at(milliseconds))} · ${at(milliseconds)}`}, relative ? ago(at(milliseconds)) : moment(at(milliseconds)));

/** The next midnight, UTC, when erasures begin that nobody hurries. */
function midnight() {
  const next = new Date();
  next.setUTCHours(24, 0, 0, 0);
  return next.getTime();
}

// --- What is known of somebody

const facts = (rows) => h('dl', {class: 'event-facts capture-facts'}, rows.filter(Boolean).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));

/** The newest sessions of a person, each leading to its recording. */
function sessionsOf(sessions, environment) {
  return h('div', {class: 'history', tabindex: '0', role: 'region', 'aria-label': 'Sessions, newest first'},
    h('table', {},
      h('thead', {}, h('tr', {}, ['Began', 'Length', 'Where', 'Events', 'Errors'].map((name) => h('th', {scope: 'col'}, name)))),
      h('tbody', {}, sessions.map((one) => h('tr', {},
        h('th', {scope: 'row'}, h('a', {href: `?${new URLSearchParams({replay: one.sessionId, project: environment.slug})}`, 'data-route': true}, time(one.startTs))),
        h('td', {}, duration(Math.round(one.duration / 1000))),
        h('td', {}, [one.userBrowser, one.userOs, one.userDevice].filter(Boolean).join(' · ') || '–'),
        h('td', {}, number(one.eventsCount)),
        h('td', {}, number(one.errorsCount)))))));
}

/** How many events the environment has of a person, as a search tells it; null when it cannot. */
async function eventsOf(user, environment, signal) {
  try {
    const query = `client.metadata.user:"${user.replace(/[\\"]/g, '\\$&')}"`;
    return (await api.searchCollection(environment.collection_id, {query, from: 0, size: 1}, signal)).total;
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  }
}

/** Asks whether somebody shall be erased, and when: {now}, or null. The id has to be typed. */
function asked(user, environment) {
  return new Promise((resolve) => {
    const typed = h('input', {id: 'erase-typed', autocomplete: 'off', spellcheck: 'false', autocapitalize: 'off', 'aria-describedby': 'erase-consequence', oninput: () => { act.disabled = typed.value !== user; }});
    const act = h('button', {class: 'button primary', type: 'submit', disabled: true}, 'Erase');
    const choice = (value, text, checked) => h('label', {class: 'choice'}, h('input', {type: 'radio', name: 'when', value, checked}), h('span', {}, text));
    const dialog = h('dialog', {class: 'help', role: 'alertdialog', 'aria-labelledby': 'erase-question', 'aria-describedby': 'erase-consequence', onclose: () => {
      dialog.remove();
      resolve(dialog.returnValue ? {now: dialog.returnValue === 'now'} : null);
    }},
      h('h2', {id: 'erase-question'}, 'Erase this person?'),
      h('p', {id: 'erase-consequence'}, `Every session and event of theirs goes from ${environment.name}, from its captures and collections too, and what comes late of it is refused. Nothing brings it back.`),
      h('form', {class: 'erase-form', onsubmit: (event) => {
        event.preventDefault();
        if (typed.value === user) dialog.close(new FormData(event.target).get('when'));
      }},
        h('fieldset', {}, h('legend', {}, 'When'), choice('midnight', ['At the next midnight, UTC: here it is ', time(midnight()), ' then'], true), choice('now', 'Now')),
        h('div', {class: 'field'}, h('label', {for: 'erase-typed'}, ['Type ', h('code', {class: 'mono'}, user), ' to say so']), typed),
        h('div', {class: 'confirm-actions'}, h('button', {class: 'button', type: 'button', onclick: () => dialog.close('')}, 'Cancel'), act)));
    document.body.append(dialog);
    dialog.showModal();
    typed.focus();
  });
}

/** Whether the caller may erase people: who owns the environment may, and a key of the organization. */
const mayErase = (environment, me) => me.scopes.includes('erase:write') && (me.id === null || environment.role === 'owner');

// --- Retention

/** For how long an environment keeps what is recorded, told to everybody in it; who runs it may change that. */
function retentionOf(environment, me) {
  const kept = (one) => Math.min(one.retentionDays ?? one.stackRetentionDays, one.stackRetentionDays);
  const admin = me.scopes.includes('project:admin') && (me.id === null || ['owner', 'admin'].includes(environment.role));
  const line = h('p', {class: 'retention-line'});
  const problem = h('p', {id: 'retention-problem', class: 'problem', role: 'alert', hidden: true});
  const choice = h('select', {id: 'retention-days', 'aria-describedby': 'retention-problem'},
    h('option', {value: ''}, `As the installation does (${plural(environment.stackRetentionDays, 'day')})`),
    environment.retentionChoices.map((days) => h('option', {value: days}, plural(days, 'day'))));
  const button = h('button', {class: 'button', type: 'submit'}, 'Change');
  let now = environment;

  function tell() {
    line.replaceChildren(`${now.name} keeps what is recorded for `, h('strong', {}, plural(kept(now), 'day')), ': a session so long after the last that was heard of it, an event to the end of its last day (UTC).');
    choice.value = now.retentionDays ?? '';
  }

  async function change(event) {
    event.preventDefault();
    problem.hidden = true;
    const wanted = choice.value === '' ? null : Number(choice.value);
    if (wanted === now.retentionDays) return;
    const days = wanted ?? now.stackRetentionDays;
    const shorter = days < kept(now);
    if (shorter && !await confirmed(`Keep for ${plural(days, 'day')} only?`, `What is older in ${now.name} is hidden within a minute, and goes when its time is over.`, 'Change')) {
      choice.value = now.retentionDays ?? '';
      choice.focus();
      return;
    }
    button.disabled = true;
    try {
      now = await api.changeEnvironment(now.id, {retentionDays: wanted});
      announce(`${now.name} keeps what is recorded for ${plural(kept(now), 'day')}`);
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
    button.disabled = false;
    tell();
    choice.focus();
  }

  tell();
  return h('section', {class: 'card capture-form retention', 'aria-labelledby': 'retention-heading'},
    h('div', {class: 'card-head'}, h('h2', {id: 'retention-heading'}, 'Retention')),
    line,
    admin && h('form', {'aria-labelledby': 'retention-heading', onsubmit: change},
      h('div', {class: 'filters'}, h('div', {class: 'field'}, h('label', {for: 'retention-days'}, 'Keep for'), choice), button), problem));
}

// --- Jobs

/** A receipt, read when it is opened. */
function receiptOf(key, job, signal) {
  const inside = h('div', {class: 'receipt'});
  async function open() {
    try {
      const told = await api.receipt(key, job.jobId, signal);
      const counts = Object.entries(told.counts).filter(([, count]) => count).map(([name, count]) => `${number(count)} ${count === 1 ? name.replace(/s$/, '') : name}`).join(', ');
      inside.replaceChildren(
        facts([
          ['Erased', counts || 'nothing was there'],
          ['Completed', moment(told.completed_at)],
          ['Verified absent', told.verified_absent ? 'yes' : 'no'],
          ['Person, hashed', h('code', {class: 'mono'}, told.user_hash)],
          ['Seal', h('code', {class: 'mono'}, told.sha256)],
        ]),
        codeBlock('Receipt', JSON.stringify(told, null, 2)));
    } catch (error) {
      if (!signal.aborted) inside.replaceChildren(h('p', {class: 'problem', role: 'alert'}, error.message));
    }
  }
  const details = h('details', {class: 'job-receipt', 'data-key': `receipt ${job.jobId}`, ontoggle: () => details.open && !inside.firstChild && open()}, h('summary', {}, 'Receipt'), inside);
  return details;
}

function jobRow(key, job, {mine, cancel, signal}) {
  const open = ['scheduled', 'running'].includes(job.status);
  return h('li', {class: 'capture job', 'data-id': job.jobId},
    h('div', {class: 'capture-name'}, h('span', {class: 'job-who'}, job.referenceId), h('span', {class: 'faint'}, `Job ${job.jobId}`)),
    h('span', {class: `badge state of-${job.status}`}, NAMES[job.status]),
    h('div', {class: 'capture-window'},
      job.status === 'scheduled' ? h('span', {}, 'begins ', time(job.startAt)) : h('span', {}, 'asked for ', time(job.createdAt, {relative: true})),
      job.status === 'running' && h('progress', {'aria-label': `Job ${job.jobId} is running`}),
      job.errors && h('span', {class: 'capture-reason'}, job.errors)),
    h('div', {class: 'capture-actions'}, open && mine && h('button', {class: 'button small quiet', type: 'button', 'data-act': 'cancel', 'aria-label': `Cancel job ${job.jobId}`, onclick: () => cancel(job)}, 'Cancel')),
    job.status === 'completed' && receiptOf(key, job, signal));
}

/** The list of jobs, which keeps up. `finished` is told when one is over. Returns {element, look}. */
function jobsOf(environment, me, {signal, finished}) {
  const key = environment.projectKey;
  const known = new Map();   // number → {job, element, text}
  const list = h('ol', {class: 'captures', 'aria-label': 'Erasures, newest first'});
  const none = h('p', {class: 'rows-empty', hidden: true}, 'Nobody has been erased yet.');
  const problem = h('p', {class: 'problem', role: 'alert', hidden: true});
  const count = h('span', {class: 'faint'});
  const lost = h('span', {class: 'live-state lost', role: 'status'});
  const mine = mayErase(environment, me);

  async function cancel(job) {
    problem.hidden = true;
    try {
      await api.cancelErasure(key, job.jobId);
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
    look();
  }

  async function read() {
    const jobs = await api.erasures(key, signal);
    if (signal.aborted) return;
    const held = list.contains(document.activeElement) ? document.activeElement.closest('.job').dataset.id : null;
    for (const job of jobs) {
      const text = JSON.stringify(job);
      const before = known.get(job.jobId);
      if (before?.text === text) continue;
      known.set(job.jobId, {job, element: jobRow(key, job, {mine, cancel, signal}), text});
      if (!before || before.job.status === job.status) continue;
      announce(`Job ${job.jobId}: ${NAMES[job.status]}`);
      if (!['scheduled', 'running'].includes(job.status)) finished(job);
    }
    const wanted = jobs.map(({jobId}) => known.get(jobId).element);
    if (wanted.length !== list.children.length || wanted.some((element, index) => element !== list.children[index])) list.replaceChildren(...wanted);
    none.hidden = wanted.length > 0;
    count.textContent = wanted.length ? plural(wanted.length, 'job') : '';
    if (held && !list.contains(document.activeElement)) (list.querySelector(`[data-id="${held}"] :is(button, summary)`) ?? document.getElementById('main')).focus({preventScroll: true});
  }

  const due = () => [...known.values()].some(({job}) => job.status === 'running' || (job.status === 'scheduled' && job.startAt - Date.now() < SELDOM));
  const look = looking(read, () => (due() ? SOON : SELDOM), signal, lost);
  look();
  const element = h('section', {class: 'results', 'aria-labelledby': 'jobs-heading'}, h('div', {class: 'card-head'}, h('h2', {id: 'jobs-heading'}, 'Erasures'), count, lost), problem, list, none);
  return {element, look};
}

// --- The page

export async function privacyPage(main, parameters, {signal, navigate}) {
  document.title = 'Privacy · Tapedeck';
  const [me, environments] = await Promise.all([api.me(signal), api.environments(signal)]);
  if (signal.aborted) return;
  if (environments.length === 0) {
    main.replaceChildren(notice('empty', 'Nobody to look up', 'You belong to no environment of this organization yet. Ask an owner to add you.'));
    return;
  }
  const environment = environments.find(({slug}) => slug === parameters.get('environment')) ?? environments[0];
  const key = environment.projectKey;
  const picker = h('select', {id: 'filter-environment', onchange: () => navigate(`?${new URLSearchParams({page: 'privacy', environment: picker.value})}`, {replace: true})}, environments.map(({slug, name}) => h('option', {value: slug, selected: slug === environment.slug}, name)));
  const who = h('input', {id: 'user-id', required: true, maxlength: 256, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', placeholder: 'As applications send it: 4711, or somebody@example.com', 'aria-describedby': 'user-problem'});
  const problem = h('p', {id: 'user-problem', class: 'problem', role: 'alert', hidden: true});
  const found = h('div', {class: 'person'});
  const jobs = jobsOf(environment, me, {signal, finished: (job) => job.referenceId === shown && show(shown)});
  let shown = null;   // whose card it is

  async function attempt(act) {
    problem.hidden = true;
    try {
      await act();
    } catch (error) {
      if (signal.aborted) return;
      problem.textContent = error.message;
      problem.hidden = false;
    }
  }

  const show = (user) => attempt(async () => {
    const [known, sessions, events] = await Promise.all([api.person(key, user, signal), api.personSessions(key, user, signal), eventsOf(user, environment, signal)]);
    if (signal.aborted) return;
    shown = user;
    const erase = () => attempt(async () => {
      const wanted = await asked(user, environment);
      if (!wanted) return;
      const job = await api.erasePerson(key, user, wanted.now);
      announce(`Job ${job.jobId}: ${NAMES[job.status]}`);
      jobs.look();
    });
    const nothing = !known.sessionCount && !events;
    found.replaceChildren(h('section', {class: 'card person-card', 'aria-labelledby': 'person-heading'},
      h('div', {class: 'card-head'}, h('h2', {id: 'person-heading', tabindex: '-1'}, user), h('span', {class: 'spring'}), mayErase(environment, me) ? h('button', {class: 'button', type: 'button', onclick: erase}, 'Erase…') : h('span', {class: 'faint'}, `Who owns ${environment.name} can erase them`)),
      facts([
        ['Sessions', number(known.sessionCount)],
        events !== null && ['Events', number(events)],
        known.sessionCount > 0 && ['First seen', time(known.firstSeen)],
        known.sessionCount > 0 && ['Last seen', time(known.lastSeen)],
      ]),
      nothing && h('p', {class: 'faint'}, `Nothing is known of them in ${environment.name}. An erasure also refuses what comes late.`),
      sessions.length > 0 && sessionsOf(sessions, environment),
      known.sessionCount > sessions.length && sessions.length > 0 && h('p', {class: 'faint'}, `The newest ${sessions.length} of ${number(known.sessionCount)}; all of them would go.`)));
    announce(`${plural(known.sessionCount, 'session')}${events === null ? '' : `, ${plural(events, 'event')}`}`);
  });

  main.replaceChildren(h('div', {class: 'page'},
    h('div', {class: 'page-head'}, h('h1', {}, 'Privacy'), environments.length > 1 && h('div', {class: 'filters'}, h('div', {class: 'field'}, h('label', {for: 'filter-environment'}, 'Environment'), picker))),
    h('div', {class: 'events-main'},
      h('section', {class: 'card capture-form', 'aria-labelledby': 'look-heading'},
        h('div', {class: 'card-head'}, h('h2', {id: 'look-heading'}, 'Look a person up')),
        h('form', {role: 'search', 'aria-label': 'Look a person up', onsubmit: (event) => {
          event.preventDefault();
          show(who.value.trim());
        }}, h('div', {class: 'filters'}, h('div', {class: 'field of-user'}, h('label', {for: 'user-id'}, 'Their id'), who), h('button', {class: 'button primary', type: 'submit'}, 'Look up')), problem)),
      found,
      retentionOf(environment, me),
      jobs.element)));
}
