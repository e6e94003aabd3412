/* Swagger UI, in the system's colours. */

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

document.getElementById("again").addEventListener("click", () => location.reload());
try {
  const reply = await fetch("openapi.json");
  if (!reply.ok) throw new Error(reply.statusText);
  SwaggerUIBundle({ spec: await reply.json(), dom_id: "#api", validatorUrl: null });
} catch {
  document.getElementById("failed").hidden = false;
}
