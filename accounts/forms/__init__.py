"""What people fill in; checks, and no writing.

door      coming in: signing in, unlocking, registering, recovering
choosing  settings
keeping   the recovery code, typed back
securing  passwords, codes and keys
"""

from accounts.forms.choosing import SettingsForm
from accounts.forms.door import RecoverForm, RegisterForm, SignInForm, UnlockForm
from accounts.forms.keeping import KeptForm
from accounts.forms.securing import ChangePasswordForm, NewCodeForm, NewSecretForm, ProveForm

__all__ = [
    "ChangePasswordForm",
    "KeptForm",
    "NewCodeForm",
    "NewSecretForm",
    "ProveForm",
    "RecoverForm",
    "RegisterForm",
    "SettingsForm",
    "SignInForm",
    "UnlockForm",
]
