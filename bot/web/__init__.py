"""The pages and the API of a running bot, in its own event loop. `service` is the door."""
