// Keeps an open page up to date: after each round it loads the page again and replaces the parts
// that changed. Without this script the page can be read all the same.
'use strict';
(() => {
  const connection = document.getElementById('connection');
  let last = null;
  let loading = false;
  let again = false;
  let polling = 0;

  for (const part of document.querySelectorAll('[data-live]')) part.before = part.innerHTML;

  const say = (text) => { if (connection.textContent !== text) connection.textContent = text; };

  // remember returns a function that gives the focus, the open details and the scrolling back.
  const remember = (part) => {
    const focus = document.activeElement && part.contains(document.activeElement) ? document.activeElement : null;
    const key = focus && (focus.id ? '#' + CSS.escape(focus.id) : focus.getAttribute('href') ? 'a[href="' + CSS.escape(focus.getAttribute('href')) + '"]' : '');
    const open = Array.from(part.querySelectorAll('details[id]'), (d) => [d.id, d.open]);
    return (fresh) => {
      for (const [id, was] of open) {
        const details = fresh.querySelector('#' + CSS.escape(id));
        if (details) details.open = was;
      }
      const target = key && fresh.querySelector(key);
      if (target) target.focus({preventScroll: true});
    };
  };

  // replace takes over the parts of a newer version of this page.
  const replace = (text) => {
    const fresh = new DOMParser().parseFromString(text, 'text/html');
    const parts = document.querySelectorAll('[data-live]');
    const wanted = fresh.querySelectorAll('[data-live]');
    if (Array.from(parts, (p) => p.id).join() !== Array.from(wanted, (p) => p.id).join()) {
      const restore = remember(document.getElementById('main'));
      document.getElementById('main').replaceWith(fresh.getElementById('main'));
      restore(document.getElementById('main'));
      return true;
    }
    let changed = false;
    for (const part of parts) {
      const next = fresh.getElementById(part.id);
      if (next.innerHTML === (part.before ?? part.innerHTML) && next.className === part.className) continue;
      const restore = remember(part);
      next.before = next.innerHTML;
      part.replaceWith(next);
      restore(next);
      if (part.id !== 'updated') { next.classList.add('changed'); next.addEventListener('animationend', () => next.classList.remove('changed')); changed = true; }
    }
    return changed;
  };

  const load = async () => {
    if (loading) { again = true; return; }
    loading = true;
    try {
      const response = await fetch(location.href, {cache: 'no-store', redirect: 'error'});
      if (!(response.headers.get('Content-Type') || '').startsWith('text/html')) throw new Error('not a page');
      if (replace(await response.text())) say('Updated just now.');
    } catch {
      say('The last update failed; trying again.');
    }
    loading = false;
    if (again) { again = false; setTimeout(load, 1000); }
  };

  const refresh = () => { if (document.visibilityState === 'visible') load(); else again = true; };
  document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible' && again) { again = false; load(); } });

  const listen = () => {
    const source = new EventSource('/events');
    source.addEventListener('round', (event) => {
      clearInterval(polling);
      polling = 0;
      if (last === null) say('Updates by itself.');
      if (last !== null && event.data !== last) refresh();
      last = event.data;
    });
    source.addEventListener('error', () => {
      if (source.readyState !== EventSource.CLOSED) { say('Connection lost; trying again.'); return; }
      say('Updates every 30 seconds.');
      if (!polling) polling = setInterval(refresh, 30000);
      setTimeout(listen, 30000);
    });
    addEventListener('pagehide', () => source.close());
    addEventListener('pageshow', (event) => { if (event.persisted) listen(); }, {once: true});
  };
  listen();

  // A filter applies as soon as a value is chosen; typing waits for the end of it.
  let typing = 0;
  const apply = async (form) => {
    clearTimeout(typing);
    const query = new URLSearchParams(new FormData(form));
    for (const [name, value] of Array.from(query)) if (value === '') query.delete(name);
    const text = query.toString();
    history.replaceState(null, '', location.pathname + (text ? '?' + text : ''));
    await load();
    const count = document.getElementById('count');
    if (count) say(count.textContent);
  };
  const filterOf = (event) => event.target.closest('form.filter');
  document.addEventListener('change', (event) => { const form = filterOf(event); if (form && event.target.tagName === 'SELECT') apply(form); });
  document.addEventListener('input', (event) => { const form = filterOf(event); if (form && event.target.tagName === 'INPUT') { clearTimeout(typing); typing = setTimeout(() => apply(form), 250); } });
  document.addEventListener('submit', (event) => { const form = filterOf(event); if (form) { event.preventDefault(); apply(form); } });

  // "/" goes to the search, as on many pages.
  document.addEventListener('keydown', (event) => {
    const search = document.getElementById('search');
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || !search || /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) return;
    event.preventDefault();
    search.focus();
    search.select();
  });
})();
