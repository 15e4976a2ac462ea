"""The one mechanism that all responders share, in the order of an alert's way.

`intake`: an alert is durable before anybody is told so. `commit`: state and the events that tell of
it are one transaction, with the messages to send in an outbox beside them. `settle`: what a bus
function does with bad input and with parts that are out. `acting`: lease, intent, effect,
read-back, confirm. `leftovers`: what a tick finds undone. In rooms of their own lie the door of
every route, the alarm, the evidence and the readiness.
"""
