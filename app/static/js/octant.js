// Makes pages that work without it quicker and kinder: nothing here is needed to finish a task.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const word = (name) => document.body.dataset[`word${name}`] ?? '';
const say = (text) => { const line = $('#announce'); if (line) line.textContent = text; };
const later = (fn, ms) => { let timer; return (...args) => { clearTimeout(timer); timer = setTimeout(fn, ms, ...args); }; };
const page = async (response) => new DOMParser().parseFromString(await response.text(), 'text/html');

// Fragments: a form or link with data-fragment="#id" swaps that element from the answer; any trouble is a full load.
const running = new Map();
const address = () => location.pathname + location.search;
let shown = address();
const visit = (how, url) => { history[how](null, '', url); shown = address(); };
async function swap(selector, url, options, whole) {
  const target = $(selector);
  if (!target) return whole();
  running.get(selector)?.abort();
  const stop = new AbortController();
  running.set(selector, stop);
  target.setAttribute('aria-busy', 'true');
  try {
    const response = await fetch(url, { ...options, signal: stop.signal, headers: { 'X-Fragment': selector.slice(1) } });
    if (!response.ok && response.status !== 422) throw new Error(String(response.status));
    const answer = await page(response);
    const fresh = $(selector, answer);
    if (!fresh) throw new Error('no fragment');
    const focused = document.activeElement?.id;
    $(selector).replaceWith(fresh);
    // What elsewhere on the page says something of the fragment, a count say, changes with it.
    for (const beside of document.querySelectorAll(`[data-with="${selector}"]`)) {
      const after = answer.getElementById(beside.id);
      if (after) beside.replaceWith(after);
    }
    if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus();
    wake(fresh);
    const said = fresh.dataset.said ?? $('[data-said]', fresh)?.dataset.said;
    if (said) say(said);
    return response.url;
  } catch (error) {
    if (error.name !== 'AbortError') whole();
    return null;
  } finally {
    if (running.get(selector) === stop) { running.delete(selector); $(selector)?.removeAttribute('aria-busy'); }
  }
}
async function send(form, submitter) {
  const data = new FormData(form, submitter);
  const whole = () => HTMLFormElement.prototype.submit.call(form);
  if (form.method === 'post') {
    const url = submitter?.formAction || form.action;
    return swap(form.dataset.fragment, url, { method: 'POST', body: data }, whole);
  }
  const url = new URL(form.action);
  url.search = new URLSearchParams([...data].filter(([, value]) => value !== ''));
  if (await swap(form.dataset.fragment, url, {}, whole)) visit('replaceState', url);
}
document.addEventListener('submit', (event) => {
  if (event.defaultPrevented || !event.target.matches('form[data-fragment]')) return;
  event.preventDefault();
  send(event.target, event.submitter);
});
const search = later((form) => send(form), 180);
document.addEventListener('input', (event) => {
  const form = event.target.form;
  if (form?.matches('form[data-fragment]') && form.method === 'get') search(form);
});
// Live: a form with data-live="#id" is asked at data-live-from, as it changes, what that element says now.
const live = later((form) => swap(form.dataset.live, form.dataset.liveFrom, { method: 'POST', body: new FormData(form) }, () => {}), 300);
document.addEventListener('input', (event) => { if (event.target.form?.dataset.live) live(event.target.form); });
// Load: what takes a moment to count is fetched once the page is there; without script it is a link.
async function load(element) {
  try {
    const fresh = $(`#${element.id}`, await page(await fetch(element.dataset.load, { headers: { 'X-Fragment': element.id } })));
    if (fresh) element.replaceWith(fresh);
  } catch { /* the link stays */ }
}
document.addEventListener('click', async (event) => {
  const link = event.target.closest('a[data-fragment]');
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  if (await swap(link.dataset.fragment, link.href, {}, () => location.assign(link.href))) visit('pushState', link.href);
});
// Links to a place in the page fire popstate too; only another address is another page.
addEventListener('popstate', () => { if (address() !== shown) location.reload(); });

// Progress of jobs: ask again, slower when nobody looks, until the answer no longer asks for it.
async function poll(element) {
  if (!element.isConnected) return;
  try {
    if (!document.hidden) {
      const fresh = $(`#${element.id}`, await page(await fetch(element.dataset.poll, { headers: { 'X-Fragment': element.id } })));
      if (fresh) {
        element.replaceWith(fresh);
        if (!fresh.dataset.poll) return say(word('Finished'));
        element = fresh;
      }
    }
  } catch { /* the next round asks again */ }
  setTimeout(poll, 2000, element);
}

// Confirm: data-confirm on a form or button asks first, in a dialog that gives the focus back.
document.addEventListener('submit', (event) => {
  const asker = event.submitter?.dataset.confirm ? event.submitter : event.target;
  if (!asker.dataset.confirm || asker.dataset.sure) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const dialog = document.createElement('dialog');
  dialog.className = 'ask';
  const text = Object.assign(document.createElement('p'), { id: 'ask-text', textContent: asker.dataset.confirm });
  const buttons = Object.assign(document.createElement('div'), { className: 'actions' });
  const cancel = Object.assign(document.createElement('button'), { className: 'button', textContent: word('Cancel') });
  const go = Object.assign(document.createElement('button'), { className: 'button button-go', textContent: asker.dataset.confirmGo ?? word('Ok') });
  dialog.setAttribute('aria-labelledby', 'ask-text');
  buttons.append(cancel, go);
  dialog.append(text, buttons);
  document.body.append(dialog);
  cancel.onclick = () => dialog.close();
  go.onclick = () => { dialog.close(); asker.dataset.sure = '1'; event.target.requestSubmit(event.submitter ?? undefined); delete asker.dataset.sure; };
  dialog.onclose = () => dialog.remove();
  dialog.showModal();
}, true);

// Bulk: select all, a live count, a bar that stays in sight while something is ticked.
function count(form) {
  const bar = form && $('[data-bulk]', form);
  if (!bar) return;
  const boxes = $$('[data-select]', form);
  const ticked = boxes.filter((box) => box.checked).length;
  const every = $('[data-every]', bar);
  const all = $('[data-select-all]', form);
  if (all) { all.checked = ticked > 0 && ticked === boxes.length; all.indeterminate = ticked > 0 && ticked < boxes.length; }
  const line = $('[data-bulk-count]', bar);
  line.textContent = line.dataset.bulkCount.replace('{n}', every?.checked ? every.dataset.every : ticked);
  const none = ticked === 0 && !every?.checked;
  bar.classList.toggle('is-live', !none);
  $$('button', bar).forEach((button) => { button.disabled = none; });
}
document.addEventListener('change', (event) => {
  const box = event.target;
  if (box.matches('[data-select-all]')) $$('[data-select]', box.form).forEach((other) => { other.checked = box.checked; });
  if (box.matches('[data-select-all], [data-select], [data-every]')) count(box.form);
});

// Keys: "/" goes to the find box, up and down move between rows, Escape closes a menu.
document.addEventListener('keydown', (event) => {
  const typing = event.target.matches('input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]');
  if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && $('[data-find]')) { event.preventDefault(); $('[data-find]').focus(); }
  if (event.key === 'Escape') { const open = event.target.closest('details.menu[open]'); if (open) { open.open = false; $('summary', open).focus(); } }
  const rows = !typing && (event.key === 'ArrowDown' || event.key === 'ArrowUp') && event.target.closest('[data-rows]');
  if (!rows) return;
  const links = $$('[data-row]', rows);
  const here = links.indexOf($('[data-row]', event.target.closest('tr, li') ?? rows));
  const next = links[here + (event.key === 'ArrowDown' ? 1 : -1)];
  if (next) { event.preventDefault(); next.focus(); }
});
document.addEventListener('click', (event) => $$('details.menu[open]').forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; }));

// Autosave: a form with data-autosave="/where" is posted as it is typed, one request at a time, and retried.
async function save(form) {
  if (form.dataset.saving) { form.dataset.again = '1'; return; }
  const line = $('[data-saved]', form);
  const tell = (text, bad) => { if (line) { line.textContent = text; line.classList.toggle('saved-bad', bad); } };
  form.dataset.saving = '1';
  let again = 0;
  try {
    const response = await fetch(form.dataset.autosave, { method: 'POST', body: new FormData(form), headers: { 'X-Autosave': '1' } });
    // Refused, with the reason in words: trying again would be refused again.
    if (response.status === 409 || response.status === 422) tell(await response.text(), true);
    else if (!response.ok) throw new Error(String(response.status));
    else {
      const version = response.headers.get('X-Version');
      if (version && form.elements.over) form.elements.over.value = version;
      tell(word('Saved'), false);
    }
  } catch { tell(word('Unsaved'), true); again = 5000; }
  delete form.dataset.saving;
  if (again || form.dataset.again) { delete form.dataset.again; setTimeout(save, again || 300, form); }
}
const saveSoon = new WeakMap();
document.addEventListener('input', (event) => {
  const form = event.target.form;
  if (!form?.dataset.autosave) return;
  if (!saveSoon.has(form)) saveSoon.set(form, later(save, 700));
  saveSoon.get(form)(form);
});

// What a page, or a part just swapped in, needs once.
function wake(root) {
  $$('[data-script-only]', root).forEach((element) => { element.hidden = false; });
  [...(root.matches?.('[data-poll]') ? [root] : []), ...$$('[data-poll]', root)].forEach((element) => setTimeout(poll, 1500, element));
  // One after the other: each is a question to the database.
  $$('[data-load]', root).reduce((before, element) => before.then(() => load(element)), Promise.resolve());
  new Set($$('[data-bulk]', root).map((bar) => bar.closest('form'))).forEach(count);
  $('[data-focus]', root)?.focus();
}
wake(document);
// An address with a place in it (#pairs) takes the focus away once the page has loaded: what was to have it gets it back.
addEventListener('load', () => { if (location.hash) requestAnimationFrame(() => $('[data-focus]')?.focus()); });
