// Who belongs to an environment: everybody in it sees that, its admins change it, and everybody but the owner may leave.

import * as api from './api.js';
import {announce, confirmed, h} from './dom.js';
import {hue, initials} from './format.js';

/** The panel of an environment's people, which fills itself. */
export function membersPanel(environment, me, signal) {
  const list = h('ul', {class: 'members-list'});
  const problem = h('p', {class: 'problem', role: 'alert', hidden: true});
  const admin = me.scopes.includes('project:admin') && (me.id === null || ['owner', 'admin'].includes(environment.role));
  const email = h('input', {id: 'member-email', type: 'email', required: true, autocomplete: 'off', placeholder: 'name@company.example'});
  const role = h('select', {id: 'member-role'}, h('option', {value: 'member'}, 'Member'), h('option', {value: 'admin'}, 'Admin'));

  /** Do it, say so, and show who is there now; what is refused is told in its place. */
  async function attempt(act, said) {
    problem.hidden = true;
    try {
      await act();
      announce(said);
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
    await read();
  }

  function one(person) {
    const mine = person.userId === me.id;
    const choice = admin && person.role !== 'owner'
      ? h('select', {'aria-label': `Role of ${person.name}`, 'data-key': `role ${person.userId}`, onchange: () => attempt(() => api.changeMember(environment.id, person.userId, choice.value), `${person.name} is ${choice.value} now`)},
        ['member', 'admin'].map((value) => h('option', {value, selected: value === person.role}, value === 'admin' ? 'Admin' : 'Member')))
      : h('span', {class: 'chip'}, {owner: 'Owner', admin: 'Admin', member: 'Member'}[person.role]);
    const remove = async () => {
      const question = mine ? `Leave ${environment.name}?` : `Remove ${person.name}?`;
      if (await confirmed(question, mine ? 'An admin can let you in again.' : `They will not see ${environment.name} any more.`, mine ? 'Leave' : 'Remove')) {
        await attempt(() => api.removeMember(environment.id, person.userId), mine ? `You have left ${environment.name}` : `${person.name} was removed`);
      }
    };
    return h('li', {class: 'member'},
      h('span', {class: 'avatar', style: {'--hue': hue(person.email)}, 'aria-hidden': 'true'}, initials(person.name || person.email)),
      h('span', {class: 'member-who'}, h('span', {}, person.name, mine && h('span', {class: 'faint'}, ' (you)')), h('span', {class: 'faint'}, person.email)),
      choice,
      person.role !== 'owner' && (admin || mine) && h('button', {class: 'button small quiet', type: 'button', 'data-key': `remove ${person.userId}`, 'aria-label': mine ? `Leave ${environment.name}` : `Remove ${person.name}`, onclick: remove}, mine ? 'Leave' : 'Remove'));
  }

  async function read() {
    try {
      const people = await api.members(environment.id, signal);
      if (signal.aborted) return;
      const held = list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
      list.replaceChildren(...people.map(one));
      if (held) list.querySelector(`[data-key="${held}"]`)?.focus({preventScroll: true});
    } catch (error) {
      if (signal.aborted) return;
      list.replaceChildren(h('li', {class: 'rows-empty'}, error.message));
    }
  }

  function add(event) {
    event.preventDefault();
    const who = email.value.trim();
    attempt(async () => {
      await api.addMember(environment.id, {email: who, role: role.value});
      email.value = '';
    }, `${who} was added`);
  }

  read();
  return h('aside', {class: 'card members', 'aria-labelledby': 'members-heading'},
    h('div', {class: 'card-head'}, h('h2', {id: 'members-heading'}, `People of ${environment.name}`)),
    list, problem,
    admin && h('form', {class: 'members-form', onsubmit: add},
      h('div', {class: 'field'}, h('label', {for: 'member-email'}, 'Add somebody of the organization'), email),
      h('div', {class: 'field'}, h('label', {for: 'member-role'}, 'Role'), role),
      h('button', {class: 'button', type: 'submit'}, 'Add')));
}
