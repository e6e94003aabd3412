export function mount(section, context) {}
