'use strict';
(() => {
  const search = document.getElementById('search');
  const severity = document.getElementById('severity');
  const parts = Array.from(document.querySelectorAll('.group, #placements tbody tr'), (part) => ({part, text: part.textContent.toLowerCase()}));
  const count = document.getElementById('count');
  const apply = () => {
    const wanted = search.value.trim().toLowerCase();
    let shown = 0;
    for (const {part, text} of parts) {
      const group = part.classList.contains('group');
      part.hidden = !text.includes(wanted) || (group && severity.value !== '' && !part.classList.contains(severity.value));
      if (!part.hidden && group) shown++;
    }
    count.textContent = shown + ' objects with findings';
  };
  document.getElementById('filter').hidden = false;
  search.addEventListener('input', apply);
  severity.addEventListener('change', apply);
  document.getElementById('filter').addEventListener('submit', (event) => event.preventDefault());
})();
